import { dynamoDBStore, idempotentBatch, type Store } from 'effectively-once';
import type { Order } from './orders.ts';
import { type Charge, charge } from './payments.ts';

/** Charges each order of the queue once. Records that fail come back alone. */
export const createHandler = (store: Store, charge: Charge) =>
  idempotentBatch(
    async ({ body }, { idempotency }) => {
      const { orderId, amount }: Order = JSON.parse(body);
      // Recorded before the handler goes on: a later attempt gets the charge, and does not make another.
      await idempotency.step('charge', ({ key }) => charge(orderId, amount, key));
    },
    { store, key: ({ body }) => JSON.parse(body).orderId },
  );

export const handler = createHandler(dynamoDBStore(), charge);
