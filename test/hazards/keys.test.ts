import { type HandlerOptions, idempotent, type Store } from 'effectively-once';
import { expect, it } from 'vitest';
import { lambdaContext } from '../ways.ts';
import { type Order, seen, stoppable, worldOfTests } from './world.ts';

const world = worldOfTests();

/** An operation that counts its runs. */
const operation = <Event = Order>(options: Partial<HandlerOptions<Event>> = {}, store: Store = world.store()) => {
  const { scope = 'charge' } = options;
  const runs: Event[] = [];
  const call = idempotent(
    async (event: Event) => {
      runs.push(event);
      return `${scope} ${runs.length}`;
    },
    { store, key: (event) => (event as Order).orderId, ...options, scope },
  );
  return { runs, call: (event: Event) => seen(call(event, lambdaContext())) };
};

it('A8: operations that share a store keep their own keys, one after the other, side by side and nested', async () => {
  const store = world.store();
  const charge = operation({ scope: 'charge' }, store);
  const refund = operation({ scope: 'refund' }, store);
  for (let time = 0; time < 2; time++) {
    expect(await charge.call({ orderId: '1' })).toBe('charge 1');
    expect(await refund.call({ orderId: '1' })).toBe('refund 1');
  }

  const { handler, begin } = stoppable<string>();
  const slow = idempotent(handler, { store, scope: 'slow', key: () => '1' });
  const nesting = idempotent(async () => `nesting ${await charge.call({ orderId: '2' })}`, {
    store,
    scope: 'nesting',
    key: () => '2',
  });
  const { answer, resolve } = await begin(() => slow({}, lambdaContext()));
  for (let time = 0; time < 2; time++) expect(await nesting({}, lambdaContext())).toBe('nesting charge 2');
  resolve('slow');
  expect(await answer).toBe('slow');
  expect(await slow({}, lambdaContext())).toBe('slow');
});

it('A9: a key that is missing, empty or half there is refused, and shared by nobody', async () => {
  const { call, runs } = operation<{ user?: string; orderId?: unknown }>({
    principal: ({ user }) => user,
    key: ({ orderId }) => orderId as string,
  });
  for (const user of ['alice', 'bob']) {
    for (const orderId of [undefined, null, '', '  ']) expect(await call({ user, orderId })).toBe('KEY_MISSING');
    expect(await call({ user, orderId: [user, undefined] })).toBe('KEY_INVALID');
    expect(await call({ user: '', orderId: '1' })).toBe('CONFIG_INVALID');
  }
  expect(runs).toEqual([]);
  expect(await world.records()).toEqual([]);
  expect([await call({ orderId: 0 }), await call({ orderId: 0 }), await call({ orderId: 1 })]).toEqual([
    'charge 1',
    'charge 1',
    'charge 2',
  ]);
});

it('A10: a handler that changes its event completes the record that it claimed', async () => {
  let runs = 0;
  const call = idempotent(
    async (event: Order & { isDone?: boolean }) => {
      Object.assign(event, { orderId: 'changed', amount: 0, isDone: true });
      return ++runs;
    },
    { store: world.store(), scope: 'charge', key: ({ orderId }) => orderId },
  );
  for (let time = 0; time < 2; time++) expect(await call({ orderId: '1', amount: 5 }, lambdaContext())).toBe(1);
  expect(await world.records()).toMatchObject([{ status: { S: 'COMPLETED' } }]);
});

it('A11: a payload that JSON cannot tell from another is refused before anything runs', async () => {
  const { call, runs } = operation<{ of: unknown }>({ key: () => '1' });
  for (const of of [new Map([[1, 2]]), new Set([1]), /a/, Number.NaN, 1n, () => 1, Symbol('s'), [undefined]])
    expect(await call({ of })).toBe('CONFIG_INVALID');
  expect(await call({ of: '\ud800' })).toBe('PAYLOAD_INVALID'); // of whoever sent it
  expect(runs).toEqual([]);
  expect(world.aws().requests()).toBe(0);
});

it('A12: a payload is the same in any order of its members, and another by any member', async () => {
  const { call } = operation<object>({ key: () => '1' });
  const first = JSON.parse('{"a":1,"A":2,"nested":{"b":1,"B":2}}');
  expect(await call(first)).toBe('charge 1');
  expect(await call(JSON.parse('{"nested":{"B":2,"b":1},"A":2,"a":1}'))).toBe('charge 1');
  expect(await call(JSON.parse('{"a":1,"A":2,"nested":{"b":1,"B":2},"__proto__":{"c":3}}'))).toBe('MISMATCH');
});

it('A13: another payload under the same key is refused without any option', async () => {
  const { call, runs } = operation();
  expect(await call({ orderId: '1', amount: 1 })).toBe('charge 1');
  expect(await call({ orderId: '1', amount: 999 })).toBe('MISMATCH');
  expect(runs).toHaveLength(1);
});

it('A14: operations that share a store look for their keys each in its own way', async () => {
  const store = world.store();
  const orders = operation({ scope: 'orders' }, store);
  expect(await orders.call({ orderId: '1' })).toBe('orders 1');
  const payments = operation<{ orderId: string; paymentId: string }>(
    { scope: 'payments', key: ({ paymentId }) => paymentId, retention: '1h' },
    store,
  );
  expect(await payments.call({ orderId: '1', paymentId: 'p1' })).toBe('payments 1');
  expect(await payments.call({ orderId: '1', paymentId: 'p2' })).toBe('payments 2');
  expect(await payments.call({ orderId: '1', paymentId: 'p1' })).toBe('payments 1');
});
