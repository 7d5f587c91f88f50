import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Asked, type Fault, startFaultProxy } from '../local/fault-proxy.ts';
import type { LocalFunction } from '../local/lambda.ts';
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
  /** How often the payment provider is asked for each. @default - as many as charges */
  readonly chargeRequests?: number;
  /** Of both handlers, over all orders. */
  readonly runs: number;
  /** Whether callers saw what they should have. */
  readonly sees: (answers: readonly string[]) => boolean;
}

const exactly =
  (...expected: string[]) =>
  (answers: readonly string[]): boolean =>
    answers.join() === expected.join();

export const isPlaced = (answer: string): boolean => answer.startsWith('201');

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
    name: 'answer lost, client retries',
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
    name: 'crash before the commit',
    expected: { ...ONCE, runs: 3, sees: exactly('502', 'nothing written', '409', '201') },
    play: async (shop) => {
      const key = randomUUID();
      const stop = await crashAt(shop, shop.placeOrder, 'hold', ({ operation }) => operation === 'TransactWriteItems');
      const answers = [await place(shop, key)];
      await sleep(300); // all that was written would have been charged by now
      answers.push((await shop.hasOrder(key)) || (await shop.charges(key)) > 0 ? 'half an order' : 'nothing written');
      answers.push(await place(shop, key));
      await stop();
      return { orderIds: [key], answers: [...answers, await placeUntilDone(shop, key)] };
    },
  },
  {
    name: 'crash after the commit',
    expected: { ...ONCE, sees: exactly('502', '201 replayed') },
    play: async (shop) => {
      const key = randomUUID();
      const stop = await crashAt(shop, shop.placeOrder, 'mute', ({ operation }) => operation === 'TransactWriteItems');
      const answers = [await place(shop, key), await place(shop, key)];
      await stop();
      return { orderIds: [key], answers };
    },
  },
  {
    name: 'crash after the charge',
    expected: { orders: 0, charges: 1, chargeRequests: 2, runs: 2, sees: exactly() },
    play: async (shop) => {
      const orderId = randomUUID();
      const isRecord = ({ operation, body }: Asked): boolean => operation === 'UpdateItem' && !body.includes('Ledger');
      const stop = await crashAt(shop, shop.chargeOrder, 'hold', isRecord);
      await shop.send(JSON.stringify({ orderId, item: 'book', amount: 1_000 }));
      await until('a second charge request', async () => (await shop.chargeRequests(orderId)) >= 2);
      await stop();
      return { orderIds: [orderId], answers: [] };
    },
  },
  {
    name: 'message delivered twice',
    expected: { orders: 0, charges: 1, runs: 1, sees: exactly() },
    play: async (shop) => {
      const orderId = randomUUID();
      const { deliveries } = shop.counts;
      shop.mapping.loseNextDelete();
      await shop.send(JSON.stringify({ orderId, item: 'book', amount: 1_000 }));
      await until('a second delivery', async () => shop.counts.deliveries >= deliveries + 2);
      return { orderIds: [orderId], answers: [] };
    },
  },
  {
    name: 'poison message (declined card)',
    expected: { orders: 0, charges: 0, runs: 1, sees: exactly('dead-letter queue') },
    play: async (shop) => {
      const orderId = randomUUID();
      await shop.send(JSON.stringify({ orderId, item: 'yacht', amount: 100_000_000 }));
      await until('the dead letter', async () => (await shop.deadLetters()).some((body) => body.includes(orderId)));
      return { orderIds: [orderId], answers: ['dead-letter queue'] };
    },
  },
  {
    name: '200 orders, sent three times',
    expected: { ...ONCE, runs: 400, sees: (answers) => answers.every(isPlaced) && firsts(answers) <= 200 },
    play: async (shop) => {
      const orderIds = Array.from({ length: 200 }, () => randomUUID());
      const sent = [...orderIds, ...orderIds, ...orderIds];
      const answers = await Promise.all(sent.map((key) => placeUntilDone(shop, key)));
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
    return isPlaced(answer);
  };
  await until('an order that was placed', isDone, 500);
  return answer;
}

/** Bounded: what does not come true in a minute fails. */
export async function until(what: string, condition: () => Promise<boolean>, everyMs = 20): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited for ${what} in vain`);
    await sleep(everyMs);
  }
}

/** The next invocation is killed when the request that `isIt` has met its fault. */
async function crashAt(shop: Shop, lambda: LocalFunction, fault: Fault, isIt: (asked: Asked) => boolean) {
  const proxy = await startFaultProxy(shop.dynamodb, (asked) => (isIt(asked) ? fault : undefined));
  lambda.crashNext({ environment: { AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint }, when: () => proxy.struck });
  return proxy.stop;
}
