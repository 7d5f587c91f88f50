import middy from '@middy/core';
import type { Context, SQSRecord } from 'aws-lambda';
import { idempotent, idempotentBatch, memoryStore, runOnce, subscribe, TerminalError } from 'effectively-once';
import { earlyTimeout, idempotency } from 'effectively-once/middy';
import { emf } from 'effectively-once/observe';
import { faulty, memoryStore as testStore } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { publish } from '../../src/core/events.ts';
import { httpEvent } from '../events.ts';
import { lambdaContext, sqsRecord } from '../ways.ts';
import { emfDocument, metricsIn } from './emf-documents.ts';

const written: string[] = [];
const documents = () => written.splice(0).map(emfDocument);
const metrics = () => documents().map(metricsIn);

/** Runs that have started. */
let started: number;
let forget: () => void;
let stop: () => void;
beforeEach(() => {
  started = 0;
  forget = subscribe(({ type }) => {
    if (type === 'started') started++;
  });
  vi.spyOn(console, 'log').mockImplementation((line) => void written.push(line));
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  stop = emf();
});
afterEach(() => {
  stop();
  forget();
  written.length = 0;
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

let requests = 0;
const invocation = (timeoutMs?: number): Context =>
  ({ ...lambdaContext(timeoutMs), awsRequestId: `request-${++requests}` }) as Context;
const failing = (error: unknown) => async () => {
  throw error;
};
const duration = expect.any(Number);

describe('an invocation', () => {
  const place = (handler: () => Promise<unknown>, store = memoryStore()) => {
    const wrapped = idempotent(handler, { store, scope: 'place-order' });
    return (key: string, context = invocation()) => wrapped(httpEvent({ key, body: 1 }), context).catch(() => {});
  };

  it('writes one line, with its scope and source as dimensions, before it is answered', async () => {
    const context = invocation();
    const call = place(async () => ({ statusCode: 201 }));
    await call('k', context).then(() => expect(written).toHaveLength(1));
    const [document] = documents();
    expect(document).toMatchObject({ Scope: 'place-order', Source: 'http', requestId: context.awsRequestId });
    expect(document?._aws.CloudWatchMetrics).toEqual([
      {
        Namespace: 'EffectivelyOnce',
        Dimensions: [['Scope'], ['Scope', 'Source']],
        Metrics: [
          { Name: 'Runs', Unit: 'Count' },
          { Name: 'RunDuration', Unit: 'Milliseconds' },
        ],
      },
    ]);
    expect(metricsIn(document as never)).toEqual({ Runs: 1, RunDuration: [duration] });
  });

  it('tells a replay from a run', async () => {
    const call = place(async () => ({ statusCode: 201 }));
    await call('k');
    await call('k');
    expect(metrics()).toEqual([
      { Runs: 1, RunDuration: [duration] },
      { Replays: 1, DuplicatesStopped: 1 },
    ]);
  });

  it('writes nothing when there is nothing to count', async () => {
    await idempotent(async () => ({ statusCode: 200 }), { store: memoryStore(), scope: 's' })(
      httpEvent({ method: 'GET' }),
      invocation(),
    );
    expect(written).toEqual([]);
  });
});

describe('a batch', () => {
  const consume = (handler: (record: SQSRecord) => unknown) =>
    idempotentBatch(async (record) => handler(record), { store: memoryStore(), scope: 's', key: ({ body }) => body });

  it('of 10,000 records writes one line, with 100 of their durations', async () => {
    const Records = Array.from({ length: 10_000 }, (_, n) => sqsRecord(`${n % 9_000}`));
    await consume(() => 1)({ Records }, invocation(600_000));
    const [only, ...others] = metrics();
    expect(others).toEqual([]);
    expect(only).toEqual({
      Runs: 9_000,
      RunDuration: Array(100).fill(duration),
      Replays: 1_000,
      DuplicatesStopped: 1_000,
    });
  });

  it('counts its refusals together and by their code, and what was released', async () => {
    const handle = (record: SQSRecord) => (record.body === 'bad' ? failing(new Error('no'))() : 1);
    await consume(handle)({ Records: ['a', '', 'bad', '\n', '', 'b'].map((body) => sqsRecord(body)) }, invocation());
    expect(metrics()).toEqual([
      {
        Runs: 3,
        RunDuration: [duration, duration, duration],
        Releases: 1,
        Refusals: 3,
        Refusals_KEY_MISSING: 3,
      },
    ]);
  });

  it('that is none is told as a refusal', async () => {
    await consume(() => 1)({ no: 'batch' } as never, invocation()).catch(() => {});
    const [document] = documents();
    expect(document).toMatchObject({ Source: 'batch', Refusals: 1, Refusals_MISUSE: 1 });
  });
});

it('of many durations those are kept that are evenly spread from the shortest to the longest', () => {
  const about = { scope: 's', source: 'plain', requestId: 'request' };
  const end = (durationMs: number) =>
    publish(about, { type: 'completed', by: 'complete', outcome: 'value', durationMs });
  for (let n = 0; n < 1_000; n++) end((n * 7) % 1_000);
  publish(about, { type: 'settled' });
  const [{ RunDuration } = {}] = metrics();
  expect(RunDuration).toEqual(Array.from({ length: 100 }, (_, n) => Math.round((n * 999) / 99)));
});

describe('runOnce', () => {
  const options = { store: memoryStore(), scope: 'charge', lease: '10s' } as const;

  it('writes one line a call, also of calls that go on at once', async () => {
    const store = memoryStore();
    await Promise.all(['a', 'b', 'c'].map((key) => runOnce({ ...options, store, key }, () => key)));
    expect(metrics()).toEqual(Array(3).fill({ Runs: 1, RunDuration: [duration] }));
  });

  it('counts a conflict as a duplicate that was stopped, and a mismatch as none', async () => {
    const store = memoryStore();
    const twice = (key: string, payload?: string) =>
      runOnce({ ...options, store, key, payload }, async () => {
        await runOnce({ ...options, store, key, payload: 'p' }, () => 2).catch(() => {});
      });
    await twice('a', 'p');
    await twice('b', 'q');
    expect(metrics()).toEqual([
      { DuplicatesStopped: 1, Refusals: 1, Refusals_CONFLICT: 1 },
      { Runs: 1, RunDuration: [duration] },
      { Refusals: 1, Refusals_MISMATCH: 1 },
      { Runs: 1, RunDuration: [duration] },
    ]);
  });

  it('counts takeovers of runs that died, ends that are not sure, and leases that were lost', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const store = faulty(memoryStore());
    store.next('update', 'refuse');
    await runOnce({ ...options, store, key: 'a' }, () => 1);
    vi.setSystemTime(Date.now() + 60_000);
    await runOnce({ ...options, store, key: 'a' }, async () => {
      vi.setSystemTime(Date.now() + 60_000);
      void runOnce({ ...options, store, key: 'a' }, () => new Promise(() => {}));
      await vi.waitFor(() => expect(started).toBe(3));
    }).catch(() => {});
    expect(metrics()).toEqual([
      { Runs: 1, UnsureEnds: 1, RunDuration: [duration] },
      { Runs: 1, Takeovers: 1, LostLeases: 1, RunDuration: [duration] },
    ]);
  });

  it('counts extensions of a lease that failed', () => {
    const about = { scope: 's', source: 'run-once', call: 1, id: 's#1', attempt: 1 };
    publish(about, { type: 'extended', leaseUntil: 1 });
    publish(about, { type: 'extend-failed', error: new Error('away') });
    publish(about, { type: 'settled' });
    expect(metrics()).toEqual([{ ExtensionFailures: 1 }]);
  });

  it('counts an atomic run that lost its race as an adoption', async () => {
    const store = testStore();
    const atomic = () => runOnce({ ...options, store, key: 'a', mode: 'atomic' }, ({ commit }) => commit('done', []));
    await atomic();
    await atomic();
    expect(metrics().at(-1)).toEqual({ Runs: 1, Adoptions: 1, RunDuration: [duration] });
  });

  it('counts an atomic run that was stopped by one in flight as a duplicate that was stopped', async () => {
    const store = testStore();
    await runOnce({ ...options, store, key: 'a' }, () =>
      runOnce({ ...options, store, key: 'a', mode: 'atomic' }, ({ commit }) => commit('done', [])).catch(() => {}),
    );
    expect(metrics()[0]).toEqual({ Runs: 1, LostLeases: 1, DuplicatesStopped: 1, RunDuration: [duration] });
  });

  it('in a handler writes a line of its own scope', async () => {
    const handler = idempotent(async (key: string) => runOnce({ ...options, store: memoryStore(), key }, () => 1), {
      store: memoryStore(),
      scope: 'outer',
      key: (key) => key,
    });
    await handler('a', invocation());
    expect(documents().map(({ Scope, Source }) => [Scope, Source])).toEqual([
      ['charge', 'run-once'],
      ['outer', 'plain'],
    ]);
  });
});

describe('nothing is left over for the next invocation', () => {
  const one = { Runs: 1, RunDuration: [duration] };
  const handlerOf = (handler: (key: string) => unknown) =>
    idempotent(async (key: string) => handler(key), { store: memoryStore(), scope: 's', key: (key) => key });

  it('by one that throws', async () => {
    const handler = handlerOf((key) => (key === 'bad' ? failing(new Error('no'))() : 1));
    await handler('bad', invocation()).catch(() => {});
    await handler('good', invocation());
    expect(metrics()).toEqual([{ ...one, Releases: 1 }, one]);
  });

  it("by one that fails with an error that is on record, and by Middy's early timeout", async () => {
    const chain = middy<string, unknown>({
      timeoutEarlyInMillis: 1,
      timeoutEarlyResponse: earlyTimeout(() => ({})),
    })
      .use(idempotency<string>({ store: memoryStore(), scope: 's', key: (key) => key }))
      .handler((key) => (key === 'slow' ? new Promise(() => {}) : failing(new TerminalError('declined'))()));
    await chain('slow', invocation(20));
    await chain('bad', invocation()).catch(() => {});
    expect(metrics()).toEqual([{ ...one, UnsureEnds: 1 }, one]);
  });

  it('by one that never settles; it is written by itself when no invocation can last so long', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const handler = handlerOf((key) => (key === 'hangs' ? new Promise(() => {}) : 1));
    void handler('hangs', invocation());
    await vi.waitFor(() => expect(started).toBe(1));
    await handler('a', invocation());
    vi.setSystemTime(Date.now() + 899_000);
    await handler('b', invocation());
    expect(metrics()).toEqual([one, one]);
    vi.setSystemTime(Date.now() + 1_000);
    await handler('c', invocation());
    expect(metrics()).toEqual([{ Runs: 1 }, one]);
  });

  it('by a call of runOnce that never settles', async () => {
    const options = { store: memoryStore(), scope: 'charge', lease: '10s' } as const;
    void runOnce({ ...options, key: 'hangs' }, () => new Promise(() => {}));
    await vi.waitFor(() => expect(started).toBe(1));
    await runOnce({ ...options, key: 'a' }, () => 1);
    expect(metrics()).toEqual([one]);
  });
});

describe('what is written', () => {
  const run = (scope: string) =>
    runOnce({ store: memoryStore(), scope, key: 'secret-k', payload: 'secret-p', lease: '1s' }, () => 'secret-v');

  it('has never a key, a payload or a value', async () => {
    await run('charge');
    expect(written.join()).toContain('Runs');
    expect(written.join()).not.toContain('secret');
  });

  it.each([
    ['Zahlung für Bücher', 'Zahlung f%C3%BCr B%C3%BCcher'],
    ['é'.repeat(255), expect.stringMatching(/^(%C3%A9){42}%C3$/)],
  ])('names the scope %s in ASCII, of at most 255 characters', async (scope, expected) => {
    await run(scope);
    expect(documents()).toMatchObject([{ Scope: expected }]);
  });

  it('has a scope also if none is configured', async () => {
    await idempotent(async () => 1, { store: memoryStore(), key: () => 'k' })({}, invocation()).catch(() => {});
    expect(documents()).toMatchObject([{ Scope: '-', Refusals_CONFIG_INVALID: 1 }]);
  });

  it('is in Lambda the line alone: its console would put a time and a request id before it', async () => {
    vi.stubEnv('LAMBDA_TASK_ROOT', '/var/task');
    const lines: string[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    await run('charge');
    vi.mocked(process.stdout.write).mockRestore();
    expect(written).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(metricsIn(emfDocument(lines[0]?.replace(/\n$/, '') as string))).toEqual({
      Runs: 1,
      RunDuration: [duration],
    });
  });

  it('harms no run if it cannot be written', async () => {
    vi.mocked(console.log).mockImplementation(() => {
      throw new Error('EPIPE');
    });
    expect(await run('charge')).toBe('secret-v');
    await vi.waitFor(() =>
      expect(process.emitWarning).toHaveBeenCalledWith('metrics: Error: EPIPE', 'IdempotencyWarning'),
    );
  });
});

describe('emf', () => {
  const run = () => runOnce({ store: memoryStore(), scope: 's', key: 'k', lease: '1s' }, () => 1);

  it('writes to a namespace once, however often it is asked to, and until nobody asks for it', async () => {
    const stops = [emf(), emf({ namespace: 'Shop/Payments' })];
    await run();
    const namespaces = () => documents().map(({ _aws }) => _aws.CloudWatchMetrics[0]?.Namespace);
    expect(namespaces()).toEqual(['EffectivelyOnce', 'Shop/Payments']);
    stops[0]?.();
    stops[0]?.();
    stops[1]?.();
    await run();
    expect(namespaces()).toEqual(['EffectivelyOnce']);
    stop();
    await run();
    expect(written).toEqual([]);
    stop = emf();
    await run();
    expect(written).toHaveLength(1);
  });

  it.each(['', ' ', ':shop', 'AWS/Lambda', 'Bücher', 'a'.repeat(256), 5])(
    'takes no namespace such as %j',
    (namespace) => {
      expect(() => emf({ namespace: namespace as string })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    },
  );

  it('takes no other option', () => {
    expect(() => emf({ dimensions: ['key'] } as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
