import middy from '@middy/core';
import oldest from 'middy-oldest';
import { LEASE_MS } from '../lab.ts';
import { effectful, effects, type History, said, see } from './history.ts';

const order = () => ({ orderId: '1', payload: { amount: 1 } });

/** Ms of an invocation that Middy ends early. */
const SHORT_MS = 40;

export const middyHistories: readonly History[] = [
  {
    id: 'B1',
    story: 'Middy ends a run early; a duplicate while it goes on',
    async play({ middleware, context }) {
      const { handler, count, letGo } = effectful([1]);
      const call = middy().use(middleware({})).handler(handler);
      await see(call(order(), context(SHORT_MS)));
      await see(call(order(), context()));
      letGo(1);
      return effects(count(), 1);
    },
  },
  {
    id: 'B2',
    story: 'Middy answers 504 early, the run succeeds; a retry later',
    async play({ middleware, context, library, wait }) {
      const { handler, letGo } = effectful([1]);
      const timeoutEarlyResponse = library.earlyTimeout(() => ({ statusCode: 504 }));
      const call = middy({ timeoutEarlyResponse }).use(middleware({})).handler(handler);
      await see(call(order(), context(SHORT_MS)));
      letGo(1);
      wait(LEASE_MS);
      const retry = await see(call(order(), context()));
      return { isSafe: !said(retry).includes('504'), saw: `retry got ${said(retry)}` };
    },
  },
  {
    id: 'B3',
    story: 'a Middy handler that returns nothing, then a retry',
    async play({ middleware, context }) {
      const { handler, count } = effectful();
      const call = middy()
        .use(middleware({}))
        .handler(async () => {
          await handler();
        });
      await call(order(), context());
      await see(call(order(), context()));
      return effects(count(), 1);
    },
  },
  {
    id: 'B4',
    story: 'Middy: a later middleware sets a header, then a replay',
    async play({ middleware, context }) {
      const call = middy<any, any>()
        .use(middleware({}))
        .after((request) => {
          request.response = { ...request.response, headers: { vary: 'Origin' } };
        })
        .handler(async () => ({ statusCode: 201 }));
      await call(order(), context());
      const replay = await see(call(order(), context()));
      const hasHeader = !replay.isError && 'headers' in (replay.value as object);
      return { isSafe: hasHeader, saw: hasHeader ? 'header replayed' : said(replay) };
    },
  },
  {
    id: 'B5',
    story: 'Middy: an onError answers for a failed run, then a retry',
    async play({ middleware, context }) {
      let runs = 0;
      const call = middy<any, any>()
        .use(middleware({}))
        .onError(async () => 'sorry')
        .handler(async () => {
          if (++runs === 1) throw new Error('provider is away');
          return 'charged';
        });
      await see(call(order(), context()));
      const retry = await see(call(order(), context()));
      return { isSafe: said(retry) === 'charged', saw: `retry got ${said(retry)}` };
    },
  },
  sharingInternal('Middy: a keyless request, then a key twice, by one `internal`', middy),
  sharingInternal('the same on Middy 7.0.0', oldest as typeof middy),
];

function sharingInternal(story: string, engine: typeof middy): History {
  return {
    id: 'B7',
    story,
    async play({ middleware, context }) {
      const { handler, count } = effectful();
      const call = engine({ internal: {} })
        .use(middleware({ mayLackKey: true }))
        .handler(handler);
      await call({}, context());
      await call(order(), context());
      const retry = await see(call(order(), context()));
      return { ...effects(count() - 1, 1, said(retry)), isSafe: count() === 2 && !retry.isError };
    },
  };
}
