import { randomBytes } from 'node:crypto';
import middy from '@middy/core';
import { type Lab, LEASE_MS } from '../lab.ts';
import type { Call } from '../library.ts';
import { effectful, effects, type History, said, see } from './history.ts';

const order = () => ({ orderId: '1', payload: { amount: 1 } });

/** A handler's result, a retry at once and one when its lease would be over. */
const kept = (story: string, result: () => unknown): History => ({
  id: 'A20',
  story,
  async play({ handler: wrap, context, wait }) {
    let count = 0;
    const call = wrap({}, async () => {
      count++;
      return result();
    });
    const first = await see(call(order(), context()));
    await see(call(order(), context()));
    wait(LEASE_MS);
    await see(call(order(), context()));
    const finding = effects(count, 1, first.isError ? said(first) : 'value');
    return { ...finding, isSafe: finding.isSafe && !first.isError };
  },
});

/** What the caller sees when the store is away by the time the handler returns, and what a retry does then. */
const away = (story: string, wrapped: (given: Lab, handler: () => Promise<unknown>) => Call): History => ({
  id: 'A20',
  story,
  async play(given) {
    const { context, takeDown } = given;
    const { handler, count } = effectful();
    let up = (): void => {};
    const call = wrapped(given, async () => {
      up = takeDown('UpdateItem');
      return handler();
    });
    const first = await see(call(order(), context()));
    up();
    await see(call(order(), context()));
    const finding = effects(count(), 1, first.isError ? said(first) : 'value');
    return { ...finding, isSafe: finding.isSafe && !first.isError };
  },
});

/** What the caller of a handler that fails sees when the store is away by then. */
const thrown = (story: string, error: unknown, isSame: (seen: any) => boolean, isDown: boolean): History => ({
  id: 'A23',
  story,
  async play({ handler: wrap, context, takeDown }) {
    let up = (): void => {};
    const call = wrap({}, async () => {
      if (isDown) up = takeDown('UpdateItem', 'DeleteItem');
      throw error;
    });
    const seen = await see(call(order(), context()));
    up();
    return { isSafe: seen.isError && isSame(seen.error), saw: `caller got ${said(seen)}` };
  },
});

export const results: readonly History[] = [
  kept('a result with a nested undefined, then retries', () => ({ id: 1, note: { text: undefined } })),
  kept('a result with a Date, then retries', () => ({ id: 1, at: new Date(0) })),
  kept(
    'a result that is a class instance, then retries',
    () =>
      new (class Receipt {
        id = 1;
      })(),
  ),
  kept('a result of 500 KB, then retries', () => ({ body: randomBytes(375_000).toString('base64') })),
  away('the store is away at the completion, then a retry at once', ({ handler: wrap }, handler) => wrap({}, handler)),
  away('Middy: the same', ({ middleware }, handler) => middy().use(middleware({})).handler(handler)),
  {
    id: 'A21',
    story: 'a result that is a Buffer, replayed',
    async play({ handler: wrap, context }) {
      const call = wrap({}, async () => Buffer.from('abc'));
      await call(order(), context());
      const seen = await see(call(order(), context()));
      const type = seen.isError ? said(seen) : (seen.value as object).constructor.name;
      return { isSafe: type === 'Buffer', saw: type };
    },
  },
  {
    id: 'A21',
    story: 'a caller changes its result, then a replay from the cache',
    async play({ open, context }) {
      const call = open({ hasCache: true }).handler({}, async () => ({ total: 1 }));
      for (let time = 0; time < 2; time++) {
        const result = (await call(order(), context())) as { total: number };
        result.total = 99;
      }
      const replay = await see(call(order(), context()));
      return { isSafe: said(replay) === '{"total":1}', saw: said(replay) };
    },
  },
  thrown(
    'the handler fails, and the store is away at the release',
    Object.assign(new Error('declined'), { code: 'CARD_DECLINED' }),
    (error) => error.code === 'CARD_DECLINED',
    true,
  ),
  thrown('the handler throws what is no Error', 'declined', (error) => error === 'declined', false),
  {
    id: 'A24',
    story: "the handler throws an inner operation's error",
    async play({ handler: wrap, context, library }) {
      const { handler, count } = effectful();
      const call = wrap({}, async () => {
        await handler();
        throw library.passingError();
      });
      await see(call(order(), context()));
      return effects(count(), 1);
    },
  },
];
