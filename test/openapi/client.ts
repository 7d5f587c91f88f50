import createClient from 'openapi-fetch';
import { retryInfo, retrying } from '../../src/client/index.ts';
import type { components, paths } from './generated/orders.ts';

type PlacedOrder = components['schemas']['PlacedOrder'];

/** What a typed client of the shop sees: of an order, its duplicate, a mismatch, a key that is none, and the order again. */
export async function callsOf(baseUrl: string, key: string) {
  const shop = createClient<paths>({ baseUrl, fetch: retrying() });
  const place = (idempotencyKey: string, item: string) =>
    shop.POST('/orders', { params: { header: { 'Idempotency-Key': idempotencyKey } }, body: { item, amount: 500 } });

  const first = await place(key, 'book');
  const duplicate = await place(key, 'book');
  const mismatch = await place(key, 'pen');
  const invalid = await place('a, b', 'book');
  const order: PlacedOrder | undefined = first.data;
  const found = await shop.GET('/orders/{id}', { params: { path: { id: order?.orderId ?? '' } } });
  return {
    first: { status: first.response.status, order },
    duplicate: { ...retryInfo(duplicate.response), order: duplicate.data },
    mismatch: codeOf(mismatch.error),
    invalid: codeOf(invalid.error),
    found: found.data,
  };
}

/** Problems are told from other refusals by their code. */
function codeOf(error: components['schemas']['Refusal'] | { readonly code: string } | undefined): string | undefined {
  return error && 'code' in error ? error.code : undefined;
}

export const refused = [
  // @ts-expect-error the key is required
  (shop: ReturnType<typeof createClient<paths>>) => shop.POST('/orders', { body: { item: 'book', amount: 5 } }),
  (shop: ReturnType<typeof createClient<paths>>) => {
    const header = { 'Idempotency-Key': 'key' };
    // @ts-expect-error and so is what is ordered
    return shop.POST('/orders', { params: { header }, body: { item: 'book' } });
  },
];
