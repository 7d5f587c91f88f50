import { promisify } from 'node:util';
import { isIdempotencyError, runOnce, type Store } from 'effectively-once';
import { memoryStore, testClock } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testStore } from '../stores/contract.ts';

testStore('memory, for tests', memoryStore);

const options = (store: Store) => ({ store, scope: 's', key: 'k', lease: '30s', retention: '1h' }) as const;

describe('memoryStore', () => {
  it('commits: the outcome and the writes', async () => {
    const store = memoryStore();
    const writes = [{ Put: { TableName: 'orders', Item: { orderId: 'o-1' } } }];
    const charge = () => runOnce(options(store), ({ commit }) => commit('done', writes) as Promise<unknown>);
    expect(await charge()).toBe('done');
    expect(await charge()).toBe('done');
    expect(store.commits()).toEqual([writes]);
    expect(store.records()).toMatchObject([{ status: 'COMPLETED' }]);
  });

  it('commits nothing where a write is refused', async () => {
    const refusal = new Error('sold out');
    const store = memoryStore({
      transact: () => {
        throw refusal;
      },
    });
    const fn = vi.fn(({ commit }) => commit('done', []));
    await expect(runOnce(options(store), fn)).rejects.toBe(refusal);
    expect(store.commits()).toEqual([]);
    expect(store.records()).toMatchObject([{ status: 'IN_PROGRESS' }]);
  });

  it('commits nothing that DynamoDB would refuse for its number or shape', async () => {
    const store = memoryStore();
    const many = Array.from({ length: 100 }, () => ({ Put: { TableName: 't', Item: { id: 'a' } } }));
    for (const writes of [many, [{ Get: {} } as never]]) {
      const commit = runOnce(options(store), ({ commit }) => commit('done', writes) as Promise<unknown>);
      await expect(commit).rejects.toMatchObject({ code: 'MISUSE' });
    }
    expect(store.commits()).toEqual([]);
  });

  it('commits once in mode atomic, on what it has seen', async () => {
    const store = memoryStore();
    const atomic = { ...options(store), mode: 'atomic' } as const;
    const run = (value: number) => runOnce(atomic, ({ commit }) => commit(value, []) as Promise<unknown>);
    expect(await Promise.all([run(1), run(2)])).toEqual([1, 1]);
    expect(store.commits()).toHaveLength(1);
  });
});

describe('testClock', () => {
  let clock: ReturnType<typeof testClock>;
  beforeEach(() => {
    clock = testClock(1_800_000_000_000);
  });
  afterEach(() => clock.restore());

  it('stands still unless it is advanced', async () => {
    expect(Date.now()).toBe(1_800_000_000_000);
    await clock.advance('30s');
    expect([Date.now(), clock.now(), Date.parse(Date())]).toEqual(Array(3).fill(1_800_000_030_000));
    expect(new Date().toISOString()).toBe('2027-01-15T08:00:30.000Z');
    expect(new Date(5).getTime()).toBe(5);
    expect(new Date()).toBeInstanceOf(Date);
    expect(Date.UTC(1970, 0)).toBe(0);
  });

  it('ends leases', async () => {
    const store = memoryStore();
    let runs = 0;
    const charge = () => runOnce(options(store), () => (++runs === 1 ? new Promise(() => {}) : runs));
    void charge();
    await clock.advance('29s'); // prolonged meanwhile
    await expect(charge()).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(runs).toBe(1);
  });

  it('expires records', async () => {
    const store = memoryStore();
    let runs = 0;
    const charge = () => runOnce(options(store), () => ++runs);
    await charge();
    await clock.advance('59m');
    expect(await charge()).toBe(1);
    await clock.advance('1m');
    expect(await charge()).toBe(2);
  });

  it('fires timers in their order, and what they set in motion', async () => {
    const fired: unknown[] = [];
    const { setTimeout: sleep } = await import('node:timers/promises');
    setTimeout((...args: unknown[]) => fired.push(args), 20, 'late', clock.now());
    void sleep(10, 'slept').then((value) => {
      fired.push(value);
      setTimeout(() => fired.push(Date.now()), 5).unref();
    });
    clearTimeout(setTimeout(() => fired.push('cleared'), 1));
    const again = setTimeout(() => fired.push('refreshed'), 12);
    await clock.advance(9);
    expect(fired).toEqual([]);
    again.refresh();
    await clock.advance(100);
    expect(fired).toEqual(['slept', 1_800_000_000_015, ['late', 1_800_000_000_000], 'refreshed']);
    expect(clock.now()).toBe(1_800_000_000_109);
  });

  it('has timers as Node has them', async () => {
    const fired: string[] = [];
    void promisify(setTimeout)(10, 'promisified').then((value) => fired.push(value));
    setTimeout(() => fired.push('too long'), 2 ** 31);
    setTimeout(() => fired.push('no time'), 0);
    const first = setTimeout(() => fired.push('first'), 10);
    setTimeout(() => fired.push('second'), 10);
    first.refresh();
    await clock.advance(10);
    expect(fired).toEqual(['too long', 'no time', 'promisified', 'second', 'first']);
  });

  it.each([
    ['imported by name', () => import('node:timers')],
    ['of the module', async () => (await import('node:timers')).default],
  ])('fires and clears the timers of node:timers, %s', async (_, load) => {
    const fired: unknown[] = [];
    const timers = await load();
    timers.setTimeout((name: string) => fired.push(name), 10, 'fired');
    timers.clearTimeout(timers.setTimeout(() => fired.push('cleared'), 5));
    clearTimeout(timers.setTimeout(() => fired.push('cleared by the global'), 5));
    void promisify(timers.setTimeout)(15, 'promisified').then((name) => fired.push(name));
    await clock.advance(15);
    expect(fired).toEqual(['fired', 'promisified']);
  });

  it('wakes who waits for an outcome', async () => {
    const store = memoryStore();
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = runOnce(options(store), () => promise);
    const second = runOnce({ ...options(store), onConflict: 'wait' }, () => 'again');
    await clock.advance('2s');
    resolve('done');
    await clock.advance('2s');
    expect(await Promise.all([first, second])).toEqual(['done', 'done']);
  });

  it('lets a sleep be aborted', async () => {
    const { setTimeout: sleep } = await import('node:timers/promises');
    const over = new AbortController();
    const slept = sleep(10, undefined, { signal: over.signal, ref: false });
    over.abort();
    await expect(slept).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    await expect(sleep(10, undefined, { signal: over.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('gives the time back', async () => {
    clock.restore();
    clock.restore();
    expect(Math.abs(Date.now() - 1_800_000_000_000)).toBeGreaterThan(1_000);
    const before = globalThis.Date;
    {
      using own = testClock(5);
      expect(Date.now()).toBe(own.now());
    }
    expect(globalThis.Date).toBe(before);
    expect((await import('node:timers')).setTimeout).toBe(setTimeout);
    await new Promise((resolve) => setTimeout(resolve, 1));
  });

  it('refuses a second one, fake timers of others, and what is no duration', async () => {
    expect(() => testClock()).toThrow('a test clock is installed already');
    await expect(clock.advance('5 parsecs' as any)).rejects.toThrow('`advance`');
    clock.restore();
    for (const toFake of [['Date'], ['setTimeout']] as const) {
      vi.useFakeTimers({ toFake: [...toFake] });
      expect(() => testClock()).toThrow('fake timers');
      vi.useRealTimers();
    }
    expect(isIdempotencyError(await clock.advance('x' as any).catch((error) => error))).toBe(true);
  });
});
