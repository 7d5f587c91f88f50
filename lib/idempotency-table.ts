import { CfnDeletionPolicy, Lazy, RemovalPolicy } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { PARTITION_KEY, TTL_ATTRIBUTE } from '../src/stores/dynamodb/item.ts';
import { type GrantIdempotencyOptions, grantIdempotency } from './grant-idempotency.ts';
import { type GrantOperateOptions, grantOperate } from './grant-operate.ts';
import { latencyOf, type TableOperation, throttled } from './table-metrics.ts';

export interface IdempotencyTableProps {
  /**
   * Name of the table.
   * @default - generated
   */
  readonly tableName?: string;
  /**
   * What happens to the table when the stack goes. Whoever loses the table runs every retried request again.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Refuse to delete the table by any means.
   * @default - true, unless the removal policy is DESTROY
   */
  readonly deletionProtection?: boolean;
  /**
   * A key of your own to encrypt the table with.
   * @default - a key that DynamoDB owns
   */
  readonly encryptionKey?: kms.IKey;
}

/**
 * The table of idempotency records: on-demand, with TTL, point-in-time recovery, deletion protection and `RETAIN`.
 *
 * @example
 * const table = new IdempotencyTable(this, 'Idempotency');
 */
export class IdempotencyTable extends dynamodb.Table {
  constructor(scope: Construct, id: string, props: IdempotencyTableProps = {}) {
    const { tableName, removalPolicy = RemovalPolicy.RETAIN, encryptionKey } = props;
    super(scope, id, {
      tableName,
      partitionKey: { name: PARTITION_KEY, type: dynamodb.AttributeType.STRING },
      timeToLiveAttribute: TTL_ATTRIBUTE,
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: props.deletionProtection,
      removalPolicy,
      encryption: encryptionKey && dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey,
    });
    if (props.deletionProtection === undefined) this.protectUnlessDestroyed();
  }

  // Asked last: `RemovalPolicies.of(stack).destroy()` comes after the constructor.
  private protectUnlessDestroyed(): void {
    const resource = this.node.defaultChild as dynamodb.CfnTable;
    const isKept = (): boolean => resource.cfnOptions.deletionPolicy !== CfnDeletionPolicy.DELETE;
    resource.deletionProtectionEnabled = Lazy.any({ produce: isKept });
  }

  /** Lets a grantee claim, complete and release, and nothing else. */
  grantIdempotency(grantee: iam.IGrantable, options?: GrantIdempotencyOptions): iam.Grant {
    return grantIdempotency(this, grantee, options);
  }

  /** Lets a grantee do what `effectively-once/operator` and the command do with the table, of all scopes. */
  grantOperate(grantee: iam.IGrantable, options?: GrantOperateOptions): iam.Grant {
    return grantOperate(this, grantee, options);
  }

  /** Writes that were throttled, by whatever operation. */
  metricWriteThrottles(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return throttled(this, 'Write', options);
  }

  /** Reads that were throttled, by whatever operation. */
  metricReadThrottles(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return throttled(this, 'Read', options);
  }

  /** How long DynamoDB takes for an operation of the runtime, in ms; p99 by default. */
  metricLatency(operation: TableOperation, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return latencyOf(this, operation, options);
  }
}
