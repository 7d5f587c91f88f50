import middy from '@middy/core';
import { effectful, effects, type History, said, see } from './history.ts';

const order = () => ({ orderId: '1', payload: { amount: 1 } });

/** What every library of this kind is for. Whoever fails here is wrongly set up. */
export const basics: readonly History[] = [
  {
    id: '',
    story: 'a duplicate afterwards',
    async play({ handler: wrap, context }) {
      const { handler, count } = effectful();
      const call = wrap({}, handler);
      await call(order(), context());
      const replay = await see(call(order(), context()));
      return { ...effects(count(), 1, said(replay)), isSafe: said(replay) === 'run 1' };
    },
  },
  {
    id: '',
    story: 'Middy: the same',
    async play({ middleware, context }) {
      const { handler, count } = effectful();
      const call = middy().use(middleware({})).handler(handler);
      await call(order(), context());
      const replay = await see(call(order(), context()));
      return { ...effects(count(), 1, said(replay)), isSafe: said(replay) === 'run 1' };
    },
  },
  {
    id: '',
    story: 'a duplicate meanwhile',
    async play({ handler: wrap, context }) {
      const { handler, count, entered, letGo } = effectful([1]);
      const call = wrap({}, handler);
      const first = see(call(order(), context()));
      await entered(1);
      const duplicate = await see(call(order(), context()));
      letGo(1);
      await first;
      return effects(count(), 1, said(duplicate));
    },
  },
  {
    id: '',
    story: 'a retry after the handler threw',
    async play({ handler: wrap, context }) {
      let runs = 0;
      const call = wrap({}, async () => {
        if (++runs === 1) throw new Error('provider is away');
        return 'done';
      });
      const first = await see(call(order(), context()));
      const retry = await see(call(order(), context()));
      return { isSafe: first.isError && said(retry) === 'done', saw: `retry got ${said(retry)}` };
    },
  },
  {
    id: '',
    story: 'another payload, where comparing is switched on',
    async play({ handler: wrap, context }) {
      const { handler, count } = effectful();
      const call = wrap({ comparesPayload: true }, handler);
      await call(order(), context());
      const other = await see(call({ ...order(), payload: { amount: 2 } }, context()));
      return { ...effects(count(), 1, said(other)), isSafe: count() === 1 && other.isError };
    },
  },
];
