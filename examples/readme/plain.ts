import type { EventBridgeEvent } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';
import { payments } from './payments.ts';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string; amount: number }>;

export const handler = idempotent(
  async (event: OrderPlaced, context) => {
    console.log(`attempt ${context.idempotency.attempt}`);
    return payments.charge(event.detail.orderId, event.detail.amount);
  },
  { store: dynamoDBStore(), key: (event) => event.detail.orderId },
);
