import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { Context, EventBridgeEvent } from 'aws-lambda';
import { payments } from './payments.ts';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string; amount: number }>;

export const handler = makeIdempotent(
  async ({ detail }: OrderPlaced, _context: Context) => payments.charge(detail.orderId, detail.amount),
  {
    persistenceStore: new DynamoDBPersistenceLayer({ tableName: process.env['POWERTOOLS_TABLE'] ?? '' }),
    keyPrefix: 'charge',
    config: new IdempotencyConfig({
      eventKeyJmesPath: 'detail.orderId',
      payloadValidationJmesPath: 'detail',
      throwOnNoIdempotencyKey: true,
      expiresAfterSeconds: 24 * 60 * 60,
    }),
  },
);
