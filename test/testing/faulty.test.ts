import { idempotent, runOnce } from 'effectively-once';
import { type Faults, faulty, type MemoryStore, memoryStore, testClock } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';

describe('faulty', () => {
  let clock: ReturnType<typeof testClock>;
  let store: MemoryStore & Faults;
  let runs: number;
  beforeEach(() => {
    clock = testClock();
    store = faulty(memoryStore());
    runs = 0;
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  });
  afterEach(() => {
    clock.restore();
    vi.restoreAllMocks();
  });
  const charge = (fn: (execution: any) => unknown = () => {}) =>
    runOnce({ store, scope: 's', key: 'k', lease: '30s' }, async (execution) => {
      runs++;
      await fn(execution);
      return runs;
    });
  const settled = async (promise: Promise<unknown>): Promise<boolean> =>
    Promise.race([promise.then(() => true), clock.advance(0).then(() => false)]);

  it('refuses: nothing is written, and the caller is told', async () => {
    store.next('insert', 'refuse');
    await expect(charge()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'the store refused the claim' });
    expect(store.records()).toEqual([]);
    expect(await charge()).toBe(1);
  });

  it('refuses a completion: the caller gets its value, the key is held until the lease ends', async () => {
    store.next('update', 'refuse');
    expect(await charge()).toBe(1);
    await expect(charge()).rejects.toMatchObject({ code: 'CONFLICT' });
    await clock.advance('31s');
    expect(await charge()).toBe(2);
  });

  it('loses the answer: what was written stays', async () => {
    store.next('update', 'loseAnswer');
    expect(await charge()).toBe(1);
    expect(await charge()).toBe(1);
  });

  it('loses the answer of a claim: it is given back', async () => {
    store.next('insert', 'loseAnswer');
    await expect(charge()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await charge()).toBe(1);
  });

  it.each([
    ['crash', 2],
    ['crashAfter', 1],
  ] as const)('%s: the run is never heard of again, whatever time passes', async (fault, after) => {
    store.next('update', fault);
    const lost = charge();
    await clock.advance('10s');
    if (fault === 'crash') await expect(charge()).rejects.toMatchObject({ code: 'CONFLICT' });
    await clock.advance('1h');
    expect(await settled(lost)).toBe(false);
    expect(await charge()).toBe(after);
    expect(await settled(lost)).toBe(false);
  });

  it('crash: a dead run reaches the store no more, not even to prolong its lease', async () => {
    store.next('update', 'crash');
    void charge(({ step }) => Promise.all([step('a', () => 1), step('b', () => 2)]));
    await clock.advance('31s');
    expect(store.records()).toMatchObject([{ steps: {}, attempt: 1 }]);
    expect(await charge()).toBe(2);
  });

  it('crash: of a claim, too', async () => {
    store.next('insert', 'crashAfter');
    const lost = charge();
    await clock.advance('31s');
    expect(await charge()).toBe(1);
    expect(await settled(lost)).toBe(false);
  });

  it('delays by the clock', async () => {
    store.next('update', { delay: '2s' });
    const slow = charge();
    await clock.advance(1_999);
    expect(await settled(slow)).toBe(false);
    await clock.advance(1);
    expect(await slow).toBe(1);
  });

  it('delays until a promise resolves', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.next('insert', { delay: promise });
    const slow = charge();
    expect(await settled(slow)).toBe(false);
    resolve();
    expect(await slow).toBe(1);
  });

  it('lets a write land late, of which nobody hears', async () => {
    store.next('update', { delay: '20s' });
    const slow = charge();
    await clock.advance('15s');
    expect(await slow).toBe(1); // it did not wait for the store that long
    await clock.advance('5s');
    expect(store.records()).toMatchObject([{ status: 'COMPLETED' }]);
  });

  it('takes faults one by one, and then goes through', async () => {
    store.next('insert', 'refuse', 'refuse');
    store.next('insert', 'refuse');
    const codes = [];
    for (let time = 0; time < 4; time++)
      codes.push(
        await charge().then(
          () => 'done',
          ({ code }) => code,
        ),
      );
    expect(codes).toEqual(['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE', 'done']);
  });

  it('fails takeovers and commits', async () => {
    store.next('update', 'crash');
    void charge();
    await clock.advance('31s');
    store.next('replace', 'refuse');
    await expect(charge()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    store.next('transact', 'loseAnswer');
    await expect(charge(({ commit }) => commit(1, []))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(store.commits()).toHaveLength(1);
  });

  it('is the store for all else', async () => {
    expectTypeOf(store).toExtend<MemoryStore>();
    const handler = idempotent(() => 1, { store, scope: 's', key: () => 'k', lease: '1s' });
    expect(await handler({}, {} as any)).toBe(1);
    expect(store.records()).toHaveLength(1);
  });

  it.each([
    [
      'an operation',
      ['delete', 'refuse'],
      "the store has no operation 'delete'; it has insert, replace, update, trans",
    ],
    ['an operation of other stores', ['load', 'refuse'], "the store has no operation 'load'"],
    [
      'a fault',
      ['update', 'explode'],
      "'explode' is no fault; expected 'refuse', 'loseAnswer', 'crash', 'crashAfter' or",
    ],
    ['a fault of another kind', ['update', { wait: 5 }], '{"wait":5} is no fault'],
    ['nothing', ['update', null], 'null is no fault'],
    ['no fault', ['update'], "next('update') needs a fault"],
  ])('refuses %s that there is not', async (_, args, message) => {
    const next = store.next as (...args: unknown[]) => void;
    expect(() => next(...args)).toThrow(
      expect.objectContaining({ code: 'MISUSE', message: expect.stringContaining(message) }),
    );
  });

  it("goes by a test runner's fake timers as well", async () => {
    clock.restore();
    vi.useFakeTimers();
    store.next('update', 'crash');
    const lost = charge();
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await charge()).toBe(2);
    expect(await Promise.race([lost, 'still pending'])).toBe('still pending');
    vi.useRealTimers();
  });

  it('refuses a delay that is none', () => {
    expect(() => store.next('update', { delay: '5 parsecs' as any })).toThrow('`delay`');
    // @ts-expect-error the compiler knows, too
    expect(() => store.next('update', 'explode')).toThrow();
  });
});
