import type { EventBridgeEvent } from 'aws-lambda';
import { idempotent, type Store } from 'effectively-once';
import { explore } from 'effectively-once/testing';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string }>;
type Charge = (orderId: string, idempotencyKey?: string) => Promise<string>;

// A function of what it works with: deployed with dynamoDBStore() and the payment provider.
export const createHandler = (store: Store, charge: Charge) =>
  idempotent(async ({ detail }: OrderPlaced) => charge(detail.orderId), {
    store,
    scope: 'orders',
    key: ({ detail }) => detail.orderId,
  });

export async function isSafeToRetry() {
  const report = await explore(({ store, effects }) => createHandler(store, effects.charge), {
    event: { source: 'shop', 'detail-type': 'OrderPlaced', detail: { orderId: 'o-1' } } as OrderPlaced,
    effects: { charge: async (orderId: string) => `charge of ${orderId}` },
  });
  report.assert(); // throws what is below
}
