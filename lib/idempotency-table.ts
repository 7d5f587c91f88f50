import { RemovalPolicy, Tokenization } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { isScope, SCOPE } from '../src/environment.ts';
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
  grantIdempotency(grantee: iam.IGrantable, options?: GrantIdempotencyOptions): iam.Grant {
    return grantIdempotency(this, grantee, options);
  }
}

export interface GrantIdempotencyOptions {
  /**
   * The scopes whose records may be read and written; the records of all others are denied.
   * @default - all
   */
  readonly scopes?: readonly string[];
}

/** {@link IdempotencyTable.grantIdempotency} for a table that may be imported. */
export function grantIdempotency(
  table: dynamodb.ITable,
  grantee: iam.IGrantable,
  { scopes }: GrantIdempotencyOptions = {},
): iam.Grant {
  table.encryptionKey?.grantEncryptDecrypt(grantee);
  const conditions = scopes && conditionsOf(scopes);
  return iam.Grant.addToPrincipal({ grantee, actions: [...ACTIONS], resourceArns: [table.tableArn], conditions });
}

/**
 * Requests of which every key begins with one of the scopes. `ForAllValues` alone also matches a request without keys:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
function conditionsOf(scopes: readonly string[]): Record<string, Record<string, unknown>> {
  if (scopes.length === 0) throw new Error('`scopes` is empty; expected at least one, or to be left out');
  for (const scope of scopes) checkScope('scopes', scope);
  return {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': scopes.map((scope) => `${scope}#*`) },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  };
}

/** Throws for a name that the runtime would not take, or no policy can hold, as far as it is known at synthesis. */
export function checkScope(prop: string, scope: string): void {
  const fragments = Tokenization.reverseString(scope).mapTokens({ mapToken: () => 'x' });
  const known = fragments.join({ join: (left, right) => `${left ?? ''}${right ?? ''}` });
  if (isScope(known) && IN_POLICIES.test(known)) return;
  throw new Error(`\`${prop}\` is ${JSON.stringify(scope)}; expected ${SCOPE}, and of Latin-1`);
}

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
const IN_POLICIES = /^[\x20-\xff]*$/;
