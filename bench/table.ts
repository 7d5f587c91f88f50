import type { TableSchema } from '../local/dynamodb.ts';

/** A table of records, or of anything else with an id. */
export const BY_ID: TableSchema = {
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
};
