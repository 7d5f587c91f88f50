import { setImmediate } from 'node:timers/promises';
import { idempotent, runOnce } from 'effectively-once';
import { expect, it, vi } from 'vitest';
import { lambdaContext, TIMEOUT_MS } from '../ways.ts';
import { dies, LEASE_MS, type Order, seen, stoppable, worldOfTests } from './world.ts';

const world = worldOfTests();
type Handler = () => unknown;

/** An invocation of the handler of order `orderId`. */
const invoke = (handler: Handler, { orderId = '1', timeoutMs = TIMEOUT_MS, ...options } = {}) => {
  const call = idempotent(async (_: Order) => handler(), {
    store: world.store(),
    scope: 'charge',
    key: (order) => order.orderId,
    ...options,
  });
  return seen(call({ orderId }, lambdaContext(timeoutMs)));
};
const done = () => 'done';

it('A15: no time left is a lease of no length, and not one without end', async () => {
  await dies((handler) => invoke(handler, { timeoutMs: 0 }));
  world.wait(999);
  expect(await invoke(done)).toBe('CONFLICT'); // the clock skew
  world.wait(1);
  expect(await invoke(done)).toBe('done');
});

it('A16: the end of a lease is judged to the millisecond', async () => {
  await dies(invoke);
  world.wait(LEASE_MS - 1);
  expect(await invoke(done)).toBe('CONFLICT');
  world.wait(1);
  expect(await invoke(done)).toBe('done');
});

it('A17: without a Lambda context a lease is asked for, and a crash locks the key no longer than that', async () => {
  const withoutLease = idempotent(async () => 'ran', { store: world.store(), scope: 'charge', key: () => '1' });
  expect(await seen(withoutLease({}, undefined as never))).toBe('CONFIG_INVALID');
  expect(world.aws().requests()).toBe(0);
  const charge = (handler: Handler) =>
    seen(runOnce({ store: world.store(), scope: 'charge', key: '1', lease: '30s' }, handler));
  await dies(charge);
  world.wait(30_999);
  expect(await charge(done)).toBe('CONFLICT');
  world.wait(1);
  expect(await charge(done)).toBe('done');
});

it("A18: an invocation's lease ends by its own deadline, whatever others the same handler serves", async () => {
  let handler: Handler = done;
  const call = idempotent(async (_: Order) => handler(), {
    store: world.store(),
    scope: 'charge',
    key: ({ orderId }) => orderId,
  });
  const serve = (orderId: string, timeoutMs: number) => seen(call({ orderId }, lambdaContext(timeoutMs)));
  for (const [orderId, timeoutMs] of [
    ['long', 60_000],
    ['short', 2_000],
  ] as const) {
    await dies((dead) => {
      handler = dead;
      return serve(orderId, timeoutMs);
    });
  }
  handler = done;
  world.wait(3_000);
  expect(await serve('short', 60_000)).toBe('done');
  world.wait(57_999);
  expect(await serve('long', 2_000)).toBe('CONFLICT');
  world.wait(1);
  expect(await serve('long', 2_000)).toBe('done');
});

it('A19: clocks that are apart by less than the clock skew never let two runs overlap', async () => {
  await dies((handler) => invoke(handler, { clockSkew: 5_000 } as object));
  world.wait(TIMEOUT_MS - 1); // on the holder's clock its last millisecond
  world.wait(5_000); // and on the clock of a taker that is ahead
  expect(await invoke(done)).toBe('CONFLICT');
  world.wait(1);
  expect(await invoke(done)).toBe('done');
});

it('C2: a run without a deadline keeps its key as long as it lives', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  const { handler, begin } = stoppable();
  const options = { store: world.store(), scope: 'charge', key: '1', lease: 2_000, clockSkew: 0 };
  const { answer, resolve } = await begin(() => runOnce(options, handler));
  for (let extension = 1; extension <= 4; extension++) {
    const sent = new Promise<void>((resolve) => {
      world.aws().next('UpdateItem', (apply) => apply().finally(resolve));
    });
    vi.advanceTimersByTime(1_000); // half of the lease
    await sent;
    await setImmediate(); // and its answer is taken in
  }
  expect(await seen(runOnce(options, done))).toBe('CONFLICT');
  resolve('first');
  expect(await answer).toBe('first');
});

it('C3: of several who find an abandoned claim one takes it over', async () => {
  await dies(invoke);
  world.wait(LEASE_MS);
  const { handler, runs } = stoppable();
  const takers = Array.from({ length: 5 }, () => invoke(handler));
  const refused: unknown[] = [];
  for (const taker of takers) taker.then((answer) => refused.push(answer));
  await expect.poll(() => refused).toEqual(Array(4).fill('CONFLICT'));
  expect(runs()).toBe(1);
});

it('D3: a retry that meets the claim of its own crashed run is told to come back, and runs when it may', async () => {
  const retry = (handler: Handler) =>
    runOnce({ store: world.store(), scope: 'charge', key: '1', lease: 10_000 }, handler);
  await dies(retry);
  await expect(retry(done)).rejects.toMatchObject({ code: 'CONFLICT', retryable: true, retryAfterMs: 1_000 });
  world.wait(LEASE_MS);
  expect(await retry(done)).toBe('done');
});
