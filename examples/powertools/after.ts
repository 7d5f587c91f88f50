import type { EventBridgeEvent } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';
import { payments } from './payments.ts';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string; amount: number }>;

export const handler = idempotent(async ({ detail }: OrderPlaced) => payments.charge(detail.orderId, detail.amount), {
  store: dynamoDBStore(),
  scope: 'charge',
  key: ({ detail }) => detail.orderId,
  retention: '24h',
});
