import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Shop } from './shop.ts';

export interface Scenario {
  readonly name: string;
  readonly expected: Expected;
  readonly play: (shop: Shop) => Promise<{ readonly orderIds: readonly string[]; readonly answers: readonly string[] }>;
}

interface Expected {
  /** For each order, in its table and in the ledger. */
  readonly orders: 0 | 1;
  readonly charges: 0 | 1;
  /** Of both handlers, over all orders. */
  readonly runs: number;
  /** Whether callers saw what they should have. */
  readonly sees: (answers: readonly string[]) => boolean;
}

const exactly =
  (...expected: string[]) =>
  (answers: readonly string[]): boolean =>
    answers.join() === expected.join();

const firsts = (answers: readonly string[]): number => answers.filter((answer) => answer === '201').length;

/** One is told that it was first, the others that they were not. */
const oneFirst = (answers: readonly string[]): boolean =>
  firsts(answers) === 1 && answers.every((answer) => ['201', '201 replayed', '409'].includes(answer));

const ONCE = { orders: 1, charges: 1, runs: 2 } as const;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'double click',
    expected: { ...ONCE, sees: (answers) => oneFirst(answers) && answers.at(-1) === '201 replayed' },
    play: async (shop) => {
      const key = randomUUID();
      const answers = await Promise.all([place(shop, key), place(shop, key)]);
      return { orderIds: [key], answers: [...answers, await place(shop, key)] };
    },
  },
  {
    name: 'response lost, client retries',
    expected: { ...ONCE, sees: exactly('no answer', '201 replayed') },
    play: async (shop) => {
      const key = randomUUID();
      shop.api.loseNextResponse();
      return { orderIds: [key], answers: [await place(shop, key), await place(shop, key)] };
    },
  },
  {
    name: 'same key, other payload',
    expected: { ...ONCE, sees: exactly('201', '422') },
    play: async (shop) => {
      const key = randomUUID();
      return { orderIds: [key], answers: [await place(shop, key, 1_000), await place(shop, key, 9_900)] };
    },
  },
  {
    name: 'crash before the outcome is recorded',
    expected: { ...ONCE, runs: 3, sees: exactly('502', '409', '201') },
    play: async (shop) => {
      const key = randomUUID();
      const blackHole = await startBlackHole();
      // The order is written, then the function hangs on its queue and is killed.
      shop.placeOrder.crashNext({
        environment: { ORDER_QUEUE_URL: `${blackHole.url}/000000000000/orders` },
        when: () => until(() => shop.hasOrder(key)),
      });
      const answers = [await place(shop, key), await place(shop, key)];
      blackHole.stop();
      return { orderIds: [key], answers: [...answers, await placeUntilDone(shop, key)] };
    },
  },
  {
    name: 'message redelivered after success',
    expected: { orders: 0, charges: 1, runs: 1, sees: exactly() },
    play: async (shop) => {
      const orderId = randomUUID();
      const { deliveries } = shop.counts;
      shop.mapping.loseNextDelete();
      await shop.send(JSON.stringify({ orderId, item: 'book', amount: 1_000 }));
      await until(async () => shop.counts.deliveries >= deliveries + 2);
      return { orderIds: [orderId], answers: [] };
    },
  },
  {
    name: 'poison message (declined card)',
    expected: { orders: 0, charges: 0, runs: 1, sees: exactly('dead-letter queue') },
    play: async (shop) => {
      const orderId = randomUUID();
      await shop.send(JSON.stringify({ orderId, item: 'yacht', amount: 100_000_000 }));
      await until(async () => (await shop.deadLetters()).some((body) => body.includes(orderId)));
      return { orderIds: [orderId], answers: ['dead-letter queue'] };
    },
  },
  {
    name: '200 orders, each sent three times',
    expected: { ...ONCE, runs: 400, sees: (answers) => answers.length === 600 && firsts(answers) === 200 },
    play: async (shop) => {
      const orderIds = Array.from({ length: 200 }, () => randomUUID());
      const answers = await Promise.all([...orderIds, ...orderIds, ...orderIds].map((key) => place(shop, key)));
      return { orderIds, answers };
    },
  },
];

/** What a caller sees: the status, and whether it is a replay. */
export async function place(shop: Shop, key: string, amount = 1_000): Promise<string> {
  try {
    const response = await fetch(`${shop.api.url}/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ item: 'book', amount }),
    });
    return `${response.status}${response.headers.has('idempotent-replayed') ? ' replayed' : ''}`;
  } catch {
    return 'no answer';
  }
}

async function placeUntilDone(shop: Shop, key: string): Promise<string> {
  let answer = '';
  const isDone = async (): Promise<boolean> => {
    answer = await place(shop, key);
    return answer.startsWith('201');
  };
  await until(isDone, 500);
  return answer;
}

/** Bounded: what does not come true in 20 s fails. */
export async function until(condition: () => Promise<boolean>, everyMs = 20): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('waited 20 s in vain');
    await sleep(everyMs);
  }
}

/** A server that takes connections and never answers. */
async function startBlackHole(): Promise<{ url: string; stop: () => void }> {
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, stop: () => server.close().unref() };
}
