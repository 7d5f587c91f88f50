import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import type { PlacedOrder } from './order.ts';
import { ledgerPayments } from './payments.ts';

const payments = ledgerPayments();

/**
 * Charges each order once, however often SQS delivers it and however often it was sent: the key is the order's id. If this
 * function dies after the charge and before that is on record, the next attempt asks again with the same derived key, by
 * which the provider knows it.
 */
export const handler = idempotentBatch(
  async (record, { idempotency }) => {
    const { orderId, amount }: PlacedOrder = JSON.parse(record.body);
    return idempotency.step('charge', ({ key }) => payments.charge(orderId, amount, key));
  },
  { store: dynamoDBStore(), key: (record) => JSON.parse(record.body).orderId },
);
