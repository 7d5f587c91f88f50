import { createHash } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { EventBridgeEvent } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';
import { payments } from './payments.ts';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string; amount: number }>;

const tables = DynamoDBDocumentClient.from(new DynamoDBClient());

export const handler = idempotent(
  async ({ detail }: OrderPlaced) =>
    (await ofPowertools('charge', detail.orderId)) ?? payments.charge(detail.orderId, detail.amount),
  { store: dynamoDBStore(), scope: 'charge', key: ({ detail }) => detail.orderId },
);

/** What Powertools recorded for a key that is a text, if that has not expired. Remove it when the last record has. */
async function ofPowertools(keyPrefix: string, key: string): Promise<unknown> {
  const id = `${keyPrefix}#${createHash('md5').update(JSON.stringify(key)).digest('base64')}`;
  const TableName = process.env['POWERTOOLS_TABLE'];
  const { Item: record } = await tables.send(new GetCommand({ TableName, Key: { id }, ConsistentRead: true }));
  if (record?.['status'] === 'COMPLETED' && record['expiration'] > Date.now() / 1_000) return record['data'];
  if (record?.['status'] !== 'INPROGRESS' || record['in_progress_expiration'] < Date.now()) return undefined;
  throw new Error('the old version is still at it'); // releases the key: the retry looks again
}
