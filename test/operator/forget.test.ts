import { dynamoDBStore, IdempotencyError, runOnce } from 'effectively-once';
import { forget, inspect, recordId, resolve } from 'effectively-once/operator';
import { faulty, memoryStore } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTable, engineClient } from '../engine.ts';
import { CHARGE, completed, crashed, failed, released } from './world.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const id = recordId({ scope: 'charge', key: 'k' });
const code = (code: string, message = '') =>
  expect.objectContaining({ code, id, message: expect.stringContaining(message) });

describe('forget', () => {
  it.each([
    ['a value', (store: any) => completed(store, 'k', 'first', { payload: 1 }), 60_000],
    ['an error', (store: any) => failed(store, 'k'), 60_000],
    ['no outcome', (store: any) => released(store, 'k'), 0],
  ])(
    'lets a key with %s run again, for another payload, too, and says how long caches may answer',
    async (_, made, ms) => {
      const store = memoryStore();
      await made(store);
      expect(await forget(store, id)).toEqual({ id, cachedForMs: ms });
      expect(await inspect(store, id)).toMatchObject({ state: 'released', steps: {}, key: 'k' });
      const again = await runOnce({ ...CHARGE, store, key: 'k', payload: 2 }, ({ attempt }) => `again, ${attempt}`);
      expect(again).toBe('again, 2');
    },
  );

  it('keeps no step of the run before, and lets its record expire', async () => {
    const store = memoryStore();
    const failing = { ...CHARGE, store, key: 'k', onUnknown: 'refuse', retention: '3d' } as const;
    await runOnce(failing, async ({ step }) => {
      await step('charge', () => 'ch_1');
      throw new Error('later');
    }).catch(() => {});
    await forget(store, id);
    const { expiresAt } = await inspect(store, id);
    expect(expiresAt).toBe(Math.ceil(Date.now() / 1_000 + 3 * 86_400) * 1_000);
    expect(await runOnce(failing, ({ step }) => step('charge', () => 'ch_2'))).toBe('ch_2');
  });

  it('is CONFLICT while a run holds the key, and says until when', async () => {
    const store = memoryStore();
    await crashed(store, { key: 'k' });
    const before = structuredClone(store.records());
    const until = new Date(Date.now() + 31_000).toISOString();
    await expect(forget(store, id)).rejects.toEqual(code('CONFLICT', `a run holds the key until ${until}`));
    expect(store.records()).toEqual(before);
  });

  it.each(['rerun', 'refuse'] as const)('is MISUSE for an unknown outcome, with onUnknown %s', async (onUnknown) => {
    const store = memoryStore();
    await crashed(store, { key: 'k', onUnknown });
    vi.setSystemTime(Date.now() + 31_000);
    const before = structuredClone(store.records());
    await expect(forget(store, id)).rejects.toEqual(code('MISUSE', '`resolve` decides that'));
    expect(store.records()).toEqual(before);
  });

  it('is MISUSE where there is no record', async () => {
    await expect(forget(memoryStore(), id)).rejects.toMatchObject({
      code: 'MISUSE',
      message: `there is no record "${id}"`,
    });
  });

  it('writes nothing if the record has changed since it was shown, or is changed while it is forgotten', async () => {
    const store = memoryStore();
    await completed(store, 'k', 'first');
    const seen = await inspect(store, id);
    await forget(store, id, { seen });
    await completed(store, 'k', 'second');
    await expect(forget(store, id, { seen })).rejects.toEqual(code('CONFLICT', 'the record was changed meanwhile'));
    const racing = faulty(store);
    racing.next('replace', { delay: forget(store, id).then(() => completed(store, 'k', 'third')) });
    await expect(forget(racing, id)).rejects.toEqual(code('CONFLICT', 'the record was changed meanwhile'));
    expect(await completed(store, 'k', 'fourth')).toBe('third');
  });

  it('is done if its write landed and its answer was lost', async () => {
    const store = memoryStore();
    await completed(store, 'k', 'first');
    const { write } = store;
    let isLost = true;
    store.write = async (...call) => {
      const written = await write(...call);
      if (!isLost) return written;
      isLost = false;
      throw new IdempotencyError('STORE_UNAVAILABLE', 'no answer', { isPassing: true });
    };
    expect(await forget(store, id)).toMatchObject({ id });
  });

  it('reaches processes that have cached the outcome when their time is over', async () => {
    vi.useRealTimers();
    const client = engineClient();
    const tableName = await createTable(client);
    const open = () => dynamoDBStore({ client, tableName });
    const warm = open();
    await completed(warm, 'k', 'first');
    await forget(open(), id);
    expect(await completed(warm, 'k', 'second')).toBe('first');
    expect(await completed(open(), 'k', 'second')).toBe('second');
  });
});

describe('resolve', () => {
  it('writes nothing if the record has changed since it was shown', async () => {
    const store = memoryStore();
    await crashed(store, { key: 'k', onUnknown: 'refuse' });
    vi.setSystemTime(Date.now() + 31_000);
    const seen = await inspect(store, id);
    await resolve(store, id, { rerun: true });
    await crashed(store, { key: 'k', onUnknown: 'refuse' });
    vi.setSystemTime(Date.now() + 31_000);
    await expect(resolve(store, id, { value: 1 }, { seen })).rejects.toEqual(code('CONFLICT', 'changed meanwhile'));
    await resolve(store, id, { value: 1 }, { seen: await inspect(store, id) });
    expect(await completed(store, 'k', 2, { onUnknown: 'refuse' })).toBe(1);
  });
});
