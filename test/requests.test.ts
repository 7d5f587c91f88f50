import { randomBytes } from 'node:crypto';
import { type Duration, dynamoDBStore, runOnce } from 'effectively-once';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTable, engineClient } from './engine.ts';
import { type FaultyClient, faultyClient } from './faults.ts';

let tableName: string;
beforeAll(async () => {
  tableName = await createTable(engineClient());
});

let aws: FaultyClient;
let key: string;
beforeEach(() => {
  aws = faultyClient();
  key = crypto.randomUUID();
});
afterEach(() => vi.useRealTimers());

const process = (cache?: number | false, cacheFor: Duration = '60s') => {
  const store = dynamoDBStore({ client: aws.client, tableName, cacheFor, ...(cache !== undefined && { cache }) });
  const run = (fn: () => unknown, options = {}) =>
    runOnce({ store, scope: 'test', key, payload: 1, lease: '10s', ...options }, fn);
  const counted = async (fn: () => unknown, options = {}) => {
    const before = aws.requests();
    const value: any = await run(fn, options).catch((error) => error.code);
    return { value, requests: aws.requests() - before };
  };
  return counted;
};

describe('requests to DynamoDB', () => {
  it('a first run: 2, its duplicate in another process: 1, a further one in a process that has seen it: 0', async () => {
    const [first, second] = [process(), process()];
    expect(await first(() => 'value')).toEqual({ value: 'value', requests: 2 });
    expect(await second(() => 'never')).toEqual({ value: 'value', requests: 1 });
    expect(await second(() => 'never')).toEqual({ value: 'value', requests: 0 });
    expect(await first(() => 'never')).toEqual({ value: 'value', requests: 0 });
  });

  it('a duplicate without the cache: 1, with no second read', async () => {
    const call = process(false);
    await call(() => 'value');
    expect(await call(() => 'never')).toEqual({ value: 'value', requests: 1 });
  });

  it('a conflict, a retryable failure and its retry: 1, 2 and 3', async () => {
    const call = process();
    const [gate, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = call(() => {
      begun.resolve();
      return gate.promise;
    });
    await begun.promise;
    expect(await process()(() => 1)).toEqual({ value: 'CONFLICT', requests: 1 });
    gate.reject(new Error('no'));
    await first;
    expect(aws.requests()).toBe(3);
    expect(await call(() => 2)).toEqual({ value: 2, requests: 3 });
  });
});

describe('the cache of outcomes', () => {
  it('refuses another payload from it', async () => {
    const call = process();
    await call(() => 1);
    expect(await call(() => 1, { payload: 2 })).toEqual({ value: 'MISMATCH', requests: 0 });
  });

  it('honours expiry', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const call = process();
    await call(() => 'old', { retention: '1h' });
    vi.setSystemTime(Date.now() + 3_602_000);
    expect((await call(() => 'new', { retention: '1h' })).value).toBe('new');
  });

  it('cannot be altered by who is given a value', async () => {
    const call = process();
    for (let time = 0; time < 3; time++) {
      const { value } = await call(() => ({ tags: [] as string[] }));
      expect(value).toEqual({ tags: [] });
      value.tags.push('mine');
    }
  });

  it('never knows a record in progress', async () => {
    const call = process();
    const [gate, begun] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
    const first = process()(() => {
      begun.resolve();
      return gate.promise;
    });
    await begun.promise;
    expect((await call(() => 1)).value).toBe('CONFLICT');
    gate.resolve('done');
    await first;
    expect((await call(() => 1)).value).toBe('done');
  });

  it('keeps nothing for longer than a minute, whether it is asked for or not, so that an operator’s word arrives', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const call = process();
    await call(() => 1);
    for (let second = 0; second < 59; second += 20) {
      vi.setSystemTime(Date.now() + 19_000);
      expect((await call(() => 2)).requests).toBe(0);
    }
    vi.setSystemTime(Date.now() + 3_000);
    expect(await call(() => 2)).toMatchObject({ value: 1, requests: 1 });
    expect((await call(() => 2)).requests).toBe(0);
  });

  it('has as long for what it has loaded as for its record, and no longer with a clock that was set back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const large = 'x'.repeat(20_000) + randomBytes(20_000).toString('base64');
    await process()(() => large);
    const call = process(100_000, '10s');
    await call(() => 1); // the record
    vi.setSystemTime(Date.now() + 6_000);
    expect((await call(() => 1)).requests).toBe(0); // its body
    vi.setSystemTime(Date.now() + 6_000);
    expect((await call(() => 1)).requests).toBe(2);
    vi.setSystemTime(Date.now() - 60_000);
    expect((await call(() => 1)).requests).toBe(2);
  });

  it('is bounded, and forgets the least recently used', async () => {
    const store = process(6_000); // three of them, and no fourth
    const of = (name: string) => store(() => 'x'.repeat(1_000), { key: `${key}-${name}` });
    await of('a');
    await of('b');
    await of('c');
    expect((await of('a')).requests).toBe(0);
    await of('d');
    expect((await of('a')).requests).toBe(0);
    expect((await of('b')).requests).toBe(1);
  });

  it('does not take what is larger than all of it', async () => {
    const call = process(5_000);
    await call(() => 'x'.repeat(5_000));
    expect((await call(() => 1)).requests).toBe(1);
  });
});
