import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import { payments } from './payments.ts';

export const handler = idempotentBatch(
  async (record) => {
    const { orderId, amount } = JSON.parse(record.body);
    return payments.charge(orderId, amount);
  },
  { store: dynamoDBStore(), key: (record) => JSON.parse(record.body).orderId },
);
