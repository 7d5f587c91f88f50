import type { Event, Operation } from '../library.ts';
import { effectful, effects, type History, said, see } from './history.ts';

/** Two events of one key, one after the other: how many effects there may be, and whether the second is to be refused. */
function pair(
  id: string,
  story: string,
  [first, second]: readonly [Event, Event],
  expected: 'replayed' | 'refused',
  operation: Operation = {},
): History {
  return {
    id,
    story,
    async play({ handler: wrap, context }) {
      const { handler, count } = effectful();
      const call = wrap(operation, handler);
      const answers = [await see(call(first, context())), await see(call(second, context()))] as const;
      const wasRefused = !answers[0].isError && answers[1].isError && count() === 1;
      const wasReplayed = !answers.some(({ isError }) => isError) && said(answers[0]) === said(answers[1]);
      const isSafe = expected === 'refused' ? wasRefused : wasReplayed;
      return { isSafe, saw: `${wasReplayed ? 'replayed' : said(answers[1])}, ${effects(count(), 1).saw}` };
    },
  };
}

/** Two users whose requests lack the key: neither may get what the other got. */
function keyless(story: string, operation: Operation, [alice, bob]: readonly [Event, Event]): History {
  return {
    id: 'A9',
    story,
    async play({ handler: wrap, context }) {
      const call = wrap(operation, async (event) => `for ${event.payload}`);
      const answers = [
        await see(call({ ...alice, payload: 'alice' }, context())),
        await see(call({ ...bob, payload: 'bob' }, context())),
      ] as const;
      return { isSafe: said(answers[1]) !== 'for alice', saw: `bob got ${said(answers[1])}` };
    },
  };
}

const json = (text: string): Event => ({ orderId: '1', payload: JSON.parse(text) });
const compared = { comparesPayload: true };

export const keys: readonly History[] = [
  {
    id: 'A8',
    story: 'a charge and a refund of one order, side by side on one store',
    async play({ handler: wrap, context }) {
      const charges = effectful([1]);
      const charge = wrap({ scope: 'charge' }, charges.handler);
      const refund = wrap({ scope: 'refund' }, async () => 'refunded');
      const order = () => ({ orderId: '1' });
      const first = see(charge(order(), context()));
      await charges.entered(1);
      await refund(order(), context());
      charges.letGo(1);
      await first;
      const again = [await see(charge(order(), context())), await see(refund(order(), context()))] as const;
      const saw = `charge: ${said(again[0])}, refund: ${said(again[1])}`;
      return { isSafe: said(again[0]) === 'run 1' && said(again[1]) === 'refunded', saw };
    },
  },
  keyless("two users, both with '' for a key", {}, [{ orderId: '' }, { orderId: '' }]),
  keyless('two users, key of [userId, orderId], both absent', { key: ['userId', 'orderId'] }, [{}, {}]),
  {
    id: 'A10',
    story: 'a handler that changes its event, then a retry',
    async play({ handler: wrap, context }) {
      const { handler, count } = effectful();
      const call = wrap({}, async (event) => {
        event.orderId = 'changed';
        return handler();
      });
      await call({ orderId: '1' }, context());
      const retry = await see(call({ orderId: '1' }, context()));
      return { ...effects(count(), 1, said(retry)), isSafe: count() === 1 && !retry.isError };
    },
  },
  {
    id: 'A11',
    story: 'payloads that differ inside a Map',
    async play({ handler: wrap, context }) {
      const { handler, count } = effectful();
      const call = wrap(compared, handler);
      const books = await see(call({ orderId: '1', payload: new Map([['books', 1]]) }, context()));
      const pens = await see(call({ orderId: '1', payload: new Map([['pens', 9]]) }, context()));
      const isShared = !books.isError && said(books) === said(pens);
      return {
        isSafe: !isShared,
        saw: isShared ? 'pens got the answer of books' : `${said(pens)}, ${count()} effects`,
      };
    },
  },
  pair(
    'A12',
    'a retry with members `a` and `A` in another order',
    [json('{"a":1,"A":2}'), json('{"A":2,"a":1}')],
    'replayed',
    compared,
  ),
  pair(
    'A12',
    'payloads that differ in __proto__',
    [json('{"a":1,"__proto__":{"b":1}}'), json('{"a":1}')],
    'refused',
    compared,
  ),
  pair('A13', 'the same key with another amount, default options', [json('1'), json('999')], 'refused'),
  {
    id: 'A14',
    story: 'two operations on one store, keys in other members',
    async play({ handler: wrap, context }) {
      await wrap({ scope: 'orders' }, async () => 'ordered')({ orderId: '1' }, context());
      const pay = wrap({ scope: 'payments', key: ['payload'] }, async (event) => `paid ${event.payload}`);
      await pay({ orderId: '1', payload: 'p1' }, context());
      const second = await see(pay({ orderId: '1', payload: 'p2' }, context()));
      return { isSafe: said(second) === 'paid p2', saw: `p2 got ${said(second)}` };
    },
  },
];
