import * as root from 'effectively-once';
import { type Duration, idempotent, runOnce, type Store } from 'effectively-once';
import { recordId, resolve } from 'effectively-once/operator';
import * as testing from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpEvent } from './events.ts';
import { EVENTS } from './sources/deliveries.ts';
import { lambdaContext } from './ways.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

it('what operators do is not in the root, which handlers import', () => {
  for (const name of ['resolve', 'recordId']) expect(root).not.toHaveProperty(name);
});

/** Leaves an unknown outcome, and gives a duplicate's way in. */
async function lost(store: Store, event: any, retention: Duration = '1d'): Promise<() => Promise<any>> {
  const entered = Promise.withResolvers<void>();
  const hangs = async () => {
    entered.resolve();
    return new Promise(() => {});
  };
  const options = { store, scope: 'test', onUnknown: 'refuse', retention } as const;
  const send = (handler: () => unknown) =>
    idempotent(handler as any, { ...options, key: () => 'k' })(event, lambdaContext());
  void send(hangs);
  await entered.promise;
  vi.setSystemTime(Date.now() + 60_000);
  return () => send(() => 'ran again');
}

describe('resolve', () => {
  const idIn = (store: testing.MemoryStore): string => store.records()[0]?.id ?? '';
  const WORDS = 'the value of an HTTP operation is its response: { statusCode: 100 to 599, headers?';

  it.each([
    'a REST API',
    'an HTTP API',
    'an ALB',
    'VPC Lattice, version 1',
    'VPC Lattice, version 2',
    'a WebSocket API',
  ])('takes for the outcome of %s a response only, and says how it looks', async (title) => {
    const store = testing.memoryStore();
    const duplicate = await lost(store, EVENTS.find(({ name }) => name.startsWith(title))?.first);
    for (const value of [undefined, 'charged', {}, { statusCode: '201' }, { statusCode: 99 }, { statusCode: 201.5 }]) {
      await expect(resolve(store, idIn(store), { value })).rejects.toMatchObject({
        code: 'MISUSE',
        message: expect.stringContaining(WORDS),
      });
    }
    for (const more of [{ body: { id: 1 } }, { headers: 'a: b' }])
      await expect(resolve(store, idIn(store), { value: { statusCode: 201, ...more } })).rejects.toThrow(WORDS);
    await resolve(store, idIn(store), { value: { statusCode: 201, headers: { 'X-A': '1' }, body: '{}' } });
    expect(await duplicate()).toMatchObject({ statusCode: 201, body: '{}' });
  });

  it('keeps the outcome for as long as its function keeps one', async () => {
    const store = testing.memoryStore();
    await lost(store, { orderId: 1 }, '3d');
    await resolve(store, idIn(store), { value: 'charged' });
    expect(store.records()).toMatchObject([{ expiresAt: Math.ceil(Date.now() / 1_000) + 3 * 24 * 60 * 60 }]);
  });

  it('lets an HTTP operation run again, too', async () => {
    const store = testing.memoryStore();
    const duplicate = await lost(store, httpEvent({ key: 'k' }));
    await resolve(store, idIn(store), { rerun: true });
    expect(await duplicate()).toBe('ran again');
  });

  it.each(['EventBridge', 'SNS', 'Step Functions', 'AppSync, with a header'])(
    'takes any value for %s',
    async (title) => {
      const store = testing.memoryStore();
      const duplicate = await lost(store, EVENTS.find(({ name }) => name.startsWith(title))?.first);
      await resolve(store, idIn(store), { value: 'charged' });
      expect(await duplicate()).toBe('charged');
    },
  );
});

describe('recordId', () => {
  it('is the id of the record, by its parts', async () => {
    const store = testing.memoryStore();
    await runOnce({ store, scope: 'a', key: 'k', principal: 'alice', lease: '1s' }, () => {});
    await runOnce({ store, scope: 'a', key: 'k', lease: '1s' }, () => {});
    expect(store.records().map(({ id }) => id)).toEqual([
      recordId({ scope: 'a', key: 'k', principal: 'alice' }),
      recordId({ scope: 'a', key: 'k' }),
    ]);
  });

  it.each<[string, any]>([
    ['no scope', { key: 'k' }],
    ['a scope that none can have', { scope: 'a#b', key: 'k' }],
    ['no key', { scope: 'a' }],
    ['an empty key', { scope: 'a', key: ' ' }],
    ['an empty principal', { scope: 'a', key: 'k', principal: '' }],
    ['a principal that is none', { scope: 'a', key: 'k', principal: 5 }],
    ['an operation that is no list', { scope: 'a', key: 'k', operation: 'POST' }],
    ['what it does not know', { scope: 'a', key: 'k', caller: 'alice' }],
    ['a key that is too long', { scope: 'a', key: 'x'.repeat(256) }],
    ['a key that is no text', { scope: 'a', key: '\ud800' }],
    ['nobody for a principal', { scope: 'a', key: 'k', principal: [] }],
    ['nothing', undefined],
  ])('is refused with %s', (_, identity) => {
    expect(() => recordId(identity)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
