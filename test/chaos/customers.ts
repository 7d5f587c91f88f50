import { setTimeout as sleep } from 'node:timers/promises';
import { fetchLocally } from '../../local/fetch.ts';
import type { PlannedOrder } from './plan.ts';
import type { Shop } from './shop.ts';

/** What came of one send over HTTP. */
export interface Sent {
  readonly key: string;
  readonly status: number | 'aborted' | 'no answer';
  readonly body: string;
  readonly isRefusal: boolean;
}

export interface Sends {
  readonly http: Sent[];
  /** Orders that were sent to the queue once more. */
  readonly duplicates: readonly string[];
}

/** Customers that place orders at once; more would only queue for the processors. */
const CUSTOMERS = 10;

/** Goes through all orders; a customer whose order was not placed asks again, with the same key, until `deadline`. */
export async function placeOrders(shop: Shop, orders: readonly PlannedOrder[], deadline: number): Promise<Sends> {
  const http: Sent[] = [];
  const duplicates: string[] = [];
  const sending: Promise<void>[] = [];

  const place = async (order: PlannedOrder): Promise<void> => {
    const mine = await Promise.all(
      order.sends.map(async ({ afterMs, abortAfterMs }) => {
        await sleep(afterMs);
        return send(shop, order, abortAfterMs);
      }),
    );
    while (!mine.some(isPlaced) && Date.now() < deadline) {
      await sleep(500);
      mine.push(await send(shop, order));
    }
    http.push(...mine);
    const body = mine.find(isPlaced)?.body;
    if (body !== undefined) sending.push(...order.duplicates.map((ms) => sendAgain(order.key, body, ms)));
  };

  const sendAgain = async (key: string, body: string, afterMs: number): Promise<void> => {
    await sleep(afterMs);
    await shop.send(body);
    duplicates.push(key);
  };

  const waiting = orders.values();
  const customer = async (): Promise<void> => {
    for (const order of waiting) if (Date.now() < deadline) await place(order);
  };
  await Promise.all(Array.from({ length: CUSTOMERS }, customer));
  await Promise.all(sending);
  return { http, duplicates };
}

export function isPlaced({ status }: Sent): boolean {
  return status === 201;
}

/** Longer than a function may take, its start included. */
const PATIENCE_MS = 20_000;

async function send(shop: Shop, { key, amount }: PlannedOrder, abortAfterMs?: number): Promise<Sent> {
  try {
    const response = await fetchLocally(`${shop.api}/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ item: 'book', amount }),
      signal: AbortSignal.timeout(abortAfterMs ?? PATIENCE_MS),
    });
    const isRefusal = response.headers.get('content-type') === 'application/problem+json';
    return { key, status: response.status, body: await response.text(), isRefusal };
  } catch {
    return { key, status: abortAfterMs === undefined ? 'no answer' : 'aborted', body: '', isRefusal: false };
  }
}
