import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import middy from '@middy/core';
import type { SQSRecord } from 'aws-lambda';
import {
  type Execution,
  type IdempotencyEvent,
  idempotent,
  idempotentBatch,
  memoryStore,
  runOnce,
  type Store,
  subscribe,
  TerminalError,
} from 'effectively-once';
import { earlyTimeout, idempotency } from 'effectively-once/middy';
import { resolve } from 'effectively-once/operator';
import { faulty, memoryStore as testStore } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { publish } from '../src/core/events.ts';
import { httpEvent } from './events.ts';
import { instead } from './stores/writes.ts';
import { lambdaContext, sqsRecord } from './ways.ts';

const events: IdempotencyEvent[] = [];
const types = () => events.map(({ type }) => type);
let unsubscribe: () => void;
beforeEach(() => {
  unsubscribe = subscribe((event) => void events.push(event));
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  unsubscribe();
  events.length = 0;
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const options = { scope: 'charge', key: 'secret-key', payload: 'secret-payload', lease: '1s' } as const;
const failing = (error: unknown) => async () => {
  throw error;
};

it('tell every outcome, and never a key, payload or value', async () => {
  const store = memoryStore();
  const call = (fn: () => unknown, more = {}) => runOnce({ ...options, store, ...more }, fn).catch(() => {});
  await call(() => 'secret-value');
  await call(() => 'never');
  await call(() => 'never', { payload: 'other' });
  await call(
    async () => {
      await call(() => 'never', { key: 'k2' });
      throw new Error('no');
    },
    { key: 'k2' },
  );
  await call(failing(new TerminalError('declined')), { key: 'k2' });
  await call(() => 'never', { key: 'k2' });
  await call(() => 'never', { key: '' });
  expect(types()).toEqual([
    ...['started', 'completed', 'settled'],
    ...['replayed', 'settled'],
    ...['refused', 'settled'],
    ...['started', 'refused', 'settled', 'released', 'settled'],
    ...['started', 'completed', 'settled'],
    ...['replayed', 'settled'],
    ...['refused', 'settled'],
  ]);
  const common = { scope: 'charge', source: 'run-once', at: expect.any(Number) };
  const record = { id: expect.stringMatching(/^charge#/), attempt: 1 };
  const durationMs = expect.any(Number);
  expect(events.slice(0, 6)).toStrictEqual([
    { type: 'started', ...common, ...record, from: 'new' },
    { type: 'completed', ...common, ...record, by: 'complete', outcome: 'value', durationMs },
    { type: 'settled', ...common },
    { type: 'replayed', ...common, ...record },
    { type: 'settled', ...common },
    { type: 'refused', ...common, id: record.id, code: 'MISMATCH', error: expect.any(Error) },
  ]);
  expect(events.filter(({ type }) => type === 'started')[2]).toMatchObject({ from: 'released', attempt: 2 });
  expect(events.filter(({ type }) => type === 'refused').at(-1)).toMatchObject({ code: 'KEY_MISSING' });
  expect(JSON.stringify(events)).not.toContain('secret');
});

describe('a run whose end is not sure', () => {
  it.each<[string, object, (execution: any) => unknown]>([
    ['step', {}, ({ step }) => step('charge', () => 'done').catch(failing(new Error('gave up')))],
    ['completion', {}, () => 'done'],
    ['release', {}, failing(new Error('no'))],
  ])('tells why: %s', async (why, more, fn) => {
    const store = instead(memoryStore(), 'update', () => Promise.reject(new Error('away')));
    await runOnce({ ...options, ...more, store }, fn).catch(() => {});
    expect(events).toMatchObject([{ type: 'started' }, { type: 'unsure', why }, { type: 'settled' }]);
  });

  it('tells why: commit', async () => {
    const store = { ...testStore(), transact: () => Promise.reject(new Error('away')) };
    for (const mode of ['claim', 'atomic'] as const) {
      await runOnce({ ...options, mode, store }, ({ commit }) => commit('done', [])).catch(() => {});
      expect(events.splice(0)).toMatchObject([
        { type: 'started' },
        { type: 'unsure', why: 'commit' },
        { type: 'settled' },
      ]);
    }
  });

  it('tells why: timeout', async () => {
    const handler = middy(async () => sleep(1_000), {
      timeoutEarlyInMillis: 10,
      timeoutEarlyResponse: earlyTimeout(() => ({})),
    }).use(idempotency({ store: memoryStore(), scope: 'charge', key: () => 'k' }));
    await handler({}, lambdaContext(50));
    expect(events).toMatchObject([{ type: 'started' }, { type: 'unsure', why: 'timeout' }, { type: 'settled' }]);
  });
});

describe('an early timeout', () => {
  const timedOut = (store: Store, fn: (execution: Execution) => Promise<unknown>) =>
    middy<unknown, unknown>({ timeoutEarlyInMillis: 10, timeoutEarlyResponse: earlyTimeout(() => ({})) })
      .use(idempotency<unknown>({ store, scope: 'charge', key: () => 'k' }))
      .handler((_, { idempotency }) => fn(idempotency))({}, lambdaContext(50));

  it('is the only end of its run, though a commit lands later', async () => {
    const landed = Promise.withResolvers<void>();
    const store = faulty(testStore());
    store.next('transact', { delay: landed.promise });
    let committed: Promise<void> | undefined;
    await timedOut(store, ({ commit }) => {
      committed = commit(1, []);
      return committed;
    });
    landed.resolve();
    await committed;
    expect(events).toMatchObject([{ type: 'started' }, { type: 'unsure', why: 'timeout' }, { type: 'settled' }]);
  });

  it('does not unsay a commit that has landed', async () => {
    await timedOut(testStore(), async ({ commit }) => {
      await commit(1, []);
      await sleep(1_000);
    });
    expect(events).toMatchObject([{ type: 'started' }, { type: 'completed', by: 'commit' }, { type: 'settled' }]);
  });
});

describe('a chain', () => {
  const call = (build: (chain: middy.MiddyfiedHandler) => unknown) => {
    const chain = middy().use(idempotency<any>({ store: memoryStore(), scope: 'charge', key: () => 'k' }));
    return (build(chain as never) as any)({}, lambdaContext()).catch(() => {});
  };

  it.each([['text'], [5], [null], [undefined], [new Error('again')]])(
    'whose onError throws %o gives the key back, and tells so',
    async (error) => {
      const failingAgain = () => {
        throw error;
      };
      await call((chain) => chain.onError(failingAgain).handler(failing(new Error('no'))));
      await sleep(5);
      expect(types()).toEqual(['started', 'released', 'settled']);
    },
  );

  it('is settled once, also with a second middleware', async () => {
    const second = idempotency<any>({ store: memoryStore(), scope: 'charge', key: () => 'k' });
    await call((chain) => chain.use(second).handler(async () => 1));
    expect(types()).toEqual(['started', 'released', 'settled']);
  });
});

it('of a batch are those of its records, duplicates among them, and settled once', async () => {
  const key = (record: SQSRecord) => record.body;
  const handler = idempotentBatch(async ({ body }) => (body === 'bad' ? failing(new Error('no'))() : 1), {
    store: memoryStore(),
    scope: 's',
    key,
  });
  const Records = ['a', 'a', 'bad', 'b', 'a', ''].map((body) => sqsRecord(body));
  await handler({ Records }, lambdaContext());
  expect(types().sort()).toEqual([
    ...['completed', 'completed', 'refused', 'released', 'replayed', 'replayed', 'settled'],
    ...['started', 'started', 'started'],
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'settled' });
});

describe('an unknown outcome', () => {
  const abandoned = async (onUnknown: any) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const store = memoryStore();
    void runOnce({ ...options, store, onUnknown }, () => new Promise(() => {}));
    await vi.waitFor(() => expect(types()).toEqual(['started']));
    vi.setSystemTime(Date.now() + 60_000);
    return store;
  };

  it('is told as refused, as completed by what found it out, and as unsure if that fails', async () => {
    let store = await abandoned('refuse');
    const { id } = events.splice(0)[0] as unknown as { id: string };
    await runOnce({ ...options, store, onUnknown: 'refuse' }, () => 1).catch(() => {});
    expect(events.splice(0)).toMatchObject([{ type: 'refused', code: 'OUTCOME_UNKNOWN', id }, { type: 'settled' }]);
    await runOnce({ ...options, store, onUnknown: failing(new Error('away')) }, () => 1).catch(() => {});
    expect(events.splice(0)).toMatchObject([
      { type: 'started', from: 'abandoned' },
      { type: 'unsure', why: 'reconcile', error: expect.any(Error) },
      { type: 'settled' },
    ]);
    await runOnce({ ...options, store, onUnknown: () => ({ value: 1 }) }, () => 2);
    expect(events.splice(0)).toMatchObject([
      { type: 'started', from: 'abandoned' },
      { type: 'completed', by: 'reconcile' },
      { type: 'settled' },
    ]);
    store = await abandoned('refuse');
    events.length = 0;
    await resolve(store, id, { value: 1 });
    expect(events).toMatchObject([{ type: 'resolved', id, to: 'value', scope: 'charge', source: 'operator' }]);
  });
});

describe('a commit', () => {
  it('is told when it has landed, and an answer that it overrules as such', async () => {
    const store = testStore();
    const committed = (answer: unknown) =>
      runOnce({ ...options, key: `${answer}`, store }, async ({ commit }) => {
        await commit('done', []);
        expect(types().at(-1)).toBe('completed');
        return answer;
      });
    await committed('done');
    expect(events.splice(0)).toMatchObject([
      { type: 'started' },
      { type: 'completed', by: 'commit' },
      { type: 'settled' },
    ]);
    await committed('another');
    expect(types()).toEqual(['started', 'completed', 'overruled', 'settled']);
  });

  it('without a claim overrules, too', async () => {
    const overruled = (end: () => unknown) =>
      runOnce({ ...options, mode: 'atomic', store: testStore() }, async ({ commit }) => {
        await commit('done', []);
        return end();
      });
    expect(await overruled(() => 'another')).toBe('done');
    expect(await overruled(failing(new Error('no')))).toBe('done');
    expect(await overruled(() => 'done')).toBe('done');
    const other = ['started', 'completed', 'overruled', 'settled'];
    expect(types()).toEqual([...other, ...other, 'started', 'completed', 'settled']);
  });

  it('without a claim that lost its race adopts the outcome, or tells why it has none', async () => {
    const store = testStore();
    const atomic = (payload: string) =>
      runOnce({ ...options, payload, mode: 'atomic', store }, ({ commit }) => commit('done', [])).catch(() => {});
    await atomic('p');
    await atomic('p');
    await atomic('q');
    expect(events.filter(({ type }) => type !== 'settled')).toMatchObject([
      ...[{ type: 'started' }, { type: 'completed' }],
      ...[{ type: 'started' }, { type: 'adopted' }],
      ...[{ type: 'started' }, { type: 'lost', code: 'MISMATCH' }],
    ]);
  });
});

it('tell a refusal also if its error is none of ours', async () => {
  const failure = new TypeError('no clock');
  const getRemainingTimeInMillis = () => {
    throw failure;
  };
  const handler = idempotent(async () => 1, { store: memoryStore(), scope: 's', key: () => 'k' });
  await expect(handler({}, { ...lambdaContext(), getRemainingTimeInMillis })).rejects.toBe(failure);
  expect(events).toMatchObject([{ type: 'refused', code: 'MISUSE', error: failure }, { type: 'settled' }]);
});

it('carry no trace that is no text', async () => {
  const handler = idempotentBatch(async () => 1, { store: memoryStore(), scope: 's' });
  await handler({ Records: [sqsRecord('a', { attributes: { AWSTraceHeader: 5 } as never })] }, lambdaContext());
  expect(types()).toEqual(['started', 'completed', 'settled']);
  expect(events.filter((event) => 'trace' in event)).toEqual([]);
});

it('name the invocation, and the trace of the event', async () => {
  const store = memoryStore();
  const context = { ...lambdaContext(), awsRequestId: 'request-1' };
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const event = httpEvent({ key: 'k', event: { headers: { 'idempotency-key': 'k', TraceParent: traceparent } } });
  await idempotent(async () => ({ statusCode: 200 }), { store, scope: 's' })(event, context);
  expect(events.splice(0)).toMatchObject([
    { type: 'started', source: 'http', requestId: 'request-1', trace: traceparent },
    { type: 'completed', source: 'http', requestId: 'request-1', trace: traceparent },
    { type: 'settled', source: 'http', requestId: 'request-1' },
  ]);
  const traced = sqsRecord('a');
  traced.attributes.AWSTraceHeader = 'Root=1-5759e988-bd862e3fe1be46a994272793';
  await idempotentBatch(async () => 1, { store, scope: 's' })({ Records: [traced, sqsRecord('b')] }, context);
  expect(events.map(({ type, source, trace }) => [type, source, trace])).toEqual(
    expect.arrayContaining([
      ['started', 'sqs', 'Root=1-5759e988-bd862e3fe1be46a994272793'],
      ['started', 'sqs', undefined],
    ]),
  );
  expect(types().filter((type) => type === 'settled')).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: 'settled', source: 'sqs', requestId: 'request-1' });
});

describe('a listener', () => {
  it.each<[string, unknown, string]>([
    ['an error', new Error('no'), 'a listener threw Error: no'],
    ['a symbol', Symbol('no'), 'a listener threw a symbol'],
    ['what has no text', Object.create(null), 'a listener threw a object'],
  ])('that throws or rejects with %s harms nobody, and is warned of', async (_, thrown, warning) => {
    const listeners = [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ];
    for (const listener of listeners) {
      const forget = subscribe(listener);
      expect(await runOnce({ ...options, store: memoryStore() }, () => 1)).toBe(1);
      await sleep(1);
      forget();
      expect(events.splice(0).map(({ type }) => type)).toEqual(['started', 'completed', 'settled']);
      expect(vi.mocked(process.emitWarning).mock.calls.splice(0)).toEqual(
        Array.from({ length: 3 }, () => [warning, 'IdempotencyWarning']),
      );
    }
  });

  it('may listen to the channel itself', async () => {
    const heard: unknown[] = [];
    const listener = (event: unknown) => void heard.push(event);
    channel('effectively-once').subscribe(listener);
    await runOnce({ ...options, store: memoryStore() }, () => 1);
    channel('effectively-once').unsubscribe(listener);
    expect(heard).toEqual(events);
    expect(heard).toHaveLength(3);
  });

  it('hears nothing when it has gone', async () => {
    unsubscribe();
    expect(channel('effectively-once').hasSubscribers).toBe(false);
    await runOnce({ ...options, store: memoryStore() }, () => 1);
    expect(events).toEqual([]);
  });
});

it('cost nothing when nobody listens', () => {
  unsubscribe();
  const now = vi.spyOn(Date, 'now');
  publish({ scope: 'charge', source: 'plain' }, { type: 'settled' });
  expect(now).not.toHaveBeenCalled();
});

it('say of which call they are, which no log shows', async () => {
  const store = memoryStore();
  await Promise.all(['a', 'b'].map((key) => runOnce({ ...options, key, store }, () => 1)));
  const calls = (type: string) => events.filter((event) => event.type === type).map(({ call }) => call);
  const [one, other] = calls('started');
  expect([typeof one, typeof other]).toEqual(['number', 'number']);
  expect(one).not.toBe(other);
  expect(calls('settled').sort()).toEqual([one, other].sort());
  expect(JSON.stringify(events)).not.toContain('call');
});
