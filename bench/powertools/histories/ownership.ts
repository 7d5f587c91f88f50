import middy from '@middy/core';
import { LEASE_MS } from '../lab.ts';
import { effectful, effects, type History, said, see } from './history.ts';

const order = () => ({ orderId: '1', payload: { amount: 1 } });

export const ownership: readonly History[] = [
  {
    id: 'A1',
    story: 'Middy: two duplicates while the first run goes on',
    async play({ middleware, context }) {
      const { handler, count, entered, letGo } = effectful([1]);
      const call = middy().use(middleware({})).handler(handler);
      const first = see(call(order(), context()));
      await entered(1);
      await see(call(order(), context()));
      await see(call(order(), context()));
      letGo(1);
      await first;
      return effects(count(), 1);
    },
  },
  {
    id: 'A2',
    story: 'Middy: a request with another payload, then the right one again',
    async play({ middleware, context }) {
      const { handler, count } = effectful();
      const call = middy()
        .use(middleware({ comparesPayload: true }))
        .handler(handler);
      await call(order(), context());
      await see(call({ ...order(), payload: { amount: 999 } }, context()));
      await see(call(order(), context()));
      return effects(count(), 1);
    },
  },
  {
    id: 'A3',
    story: 'Middy: an outer hook fails once, then a retry',
    async play({ middleware, context }) {
      const { handler, count } = effectful();
      let failures = 1;
      const call = middy()
        .after(() => {
          if (failures-- > 0) throw new Error('hook');
        })
        .use(middleware({}))
        .handler(handler);
      await see(call(order(), context()));
      await see(call(order(), context()));
      return effects(count(), 1);
    },
  },
  {
    id: 'A4',
    story: 'a run that was taken over ends after its successor',
    async play({ handler: wrap, context, wait }) {
      const { handler, entered, letGo } = effectful([1]);
      const call = wrap({}, handler);
      const stale = see(call(order(), context()));
      await entered(1);
      wait(LEASE_MS);
      const successor = await see(call(order(), context()));
      letGo(1);
      await stale;
      const replay = await see(call(order(), context()));
      const saw = `successor got ${said(successor)}, replay ${said(replay)}`;
      return { isSafe: said(successor) === said(replay), saw };
    },
  },
  {
    id: 'A5',
    story: 'a run that was taken over fails after its successor',
    async play({ handler: wrap, context, wait }) {
      const { handler, count, entered, fail } = effectful([1]);
      const call = wrap({}, handler);
      const stale = see(call(order(), context()));
      await entered(1);
      wait(LEASE_MS);
      await call(order(), context());
      fail(1);
      await stale;
      await see(call(order(), context()));
      return effects(count(), 2);
    },
  },
  {
    id: 'A6',
    story: "the claim's answer is lost, and the SDK sends it again",
    async play({ handler: wrap, context, loseAnswer }) {
      const { handler, count } = effectful();
      loseAnswer('PutItem');
      const answer = await see(wrap({}, handler)(order(), context()));
      return effects(count(), 1, said(answer));
    },
  },
  {
    id: 'A7',
    story: 'a duplicate of a run that outlives its record (1 s)',
    async play({ handler: wrap, context, wait }) {
      const { handler, count, entered, letGo } = effectful([1]);
      const call = wrap({ retentionSeconds: 1 }, handler);
      const first = see(call(order(), context()));
      await entered(1);
      wait(5_000);
      await see(call(order(), context()));
      letGo(1);
      await first;
      return effects(count(), 1);
    },
  },
];
