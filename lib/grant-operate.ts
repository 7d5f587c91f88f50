import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { OPERATE_ACTIONS } from '../src/stores/dynamodb/item.ts';
import { granted } from './grant-idempotency.ts';

export interface GrantOperateOptions {
  /**
   * Whether the grantee may only look: `inspect`, `list`, and the commands that write nothing.
   * @default false
   */
  readonly readOnly?: boolean;
}

/**
 * Lets a grantee look into any table of records, search it, and decide on records: what `effectively-once/operator` and the command do. Throws as
 * `grantIdempotency` does.
 *
 * @example
 * grantOperate(dynamodb.Table.fromTableName(this, 'Records', 'records'), onCallRole, { readOnly: true });
 */
export function grantOperate(
  table: dynamodb.ITable,
  grantee: iam.IGrantable,
  { readOnly = false }: GrantOperateOptions = {},
): iam.Grant {
  const { look, decide } = OPERATE_ACTIONS;
  return granted(table, grantee, readOnly ? look : [...look, ...decide]);
}
