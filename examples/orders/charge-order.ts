import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import type { PlacedOrder } from './order.ts';
import { ledgerPayments } from './payments.ts';

const payments = ledgerPayments();

/** Charges each order once, however often SQS delivers it and however often it was sent: the key is the order's id. */
export const handler = idempotentBatch(
  async (record) => {
    const { orderId, amount }: PlacedOrder = JSON.parse(record.body);
    return payments.charge(orderId, amount);
  },
  { store: dynamoDBStore(), key: (record) => JSON.parse(record.body).orderId },
);
