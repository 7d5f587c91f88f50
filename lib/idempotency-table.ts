import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { ACTIONS, PARTITION_KEY, TTL_ATTRIBUTE } from '../src/stores/dynamodb/item.ts';

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
      deletionProtection: props.deletionProtection ?? removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
      encryption: encryptionKey && dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey,
    });
  }

  /** Lets a grantee claim, complete and release, and nothing else. */
  grantIdempotency(grantee: iam.IGrantable): iam.Grant {
    return grantIdempotency(this, grantee);
  }
}

/** {@link IdempotencyTable.grantIdempotency} for a table that may be imported. */
export function grantIdempotency(table: dynamodb.ITable, grantee: iam.IGrantable): iam.Grant {
  table.encryptionKey?.grantEncryptDecrypt(grantee);
  return iam.Grant.addToPrincipal({ grantee, actions: [...ACTIONS], resourceArns: [table.tableArn] });
}
