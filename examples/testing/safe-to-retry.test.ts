import { test } from 'node:test';
import type { SQSEvent } from 'aws-lambda';
import { idempotentBatch, type Store } from 'effectively-once';
import { explore } from 'effectively-once/testing';

type Charge = (orderId: string, idempotencyKey: string) => Promise<string>;

const createHandler = (store: Store, charge: Charge) =>
  idempotentBatch(
    async ({ body }, { idempotency }) => {
      const chargeId = await idempotency.step('charge', ({ key }) => charge(body, key));
      await idempotency.commit(chargeId, [{ Put: { TableName: 'orders', Item: { orderId: body, chargeId } } }]);
    },
    { store, scope: 'orders', key: ({ body }) => body },
  );

test('orders are safe to retry', async () => {
  const report = await explore(({ store, effects }) => createHandler(store, effects.charge), {
    event: { Records: ['o-1', 'o-2'].map((body) => ({ messageId: body, body })) } as SQSEvent,
    effects: {
      charge: {
        run: async (orderId: string, _idempotencyKey: string) => `charge of ${orderId}`,
        key: (_orderId: string, idempotencyKey: string) => idempotencyKey, // the provider charges once for each
      },
    },
  });
  report.assert();
});
