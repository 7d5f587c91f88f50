import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpEvent } from '../events.ts';
import { lambdaContext, sqsRecord } from '../ways.ts';
import { emfDocument, metricsIn } from './emf-documents.ts';

const written: string[] = [];
beforeEach(() => {
  vi.resetModules(); // as in a process that has just started
  vi.spyOn(console, 'log').mockImplementation((line) => void written.push(line));
});
afterEach(() => {
  written.length = 0;
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  vi.doUnmock('../../src/observe/environment.ts');
});

const key = (event: string) => event;

/** The four doors: each is opened, as when a function starts, and gives what calls it with a key. */
const DOORS: Record<string, () => Promise<(key: string) => Promise<unknown>>> = {
  async runOnce() {
    const { memoryStore, runOnce } = await import('effectively-once');
    const store = memoryStore();
    return (key) => runOnce({ store, scope: 's', key, lease: '10s' }, () => 1);
  },
  async idempotent() {
    const { idempotent, memoryStore } = await import('effectively-once');
    const handler = idempotent(async () => ({ statusCode: 200 }), { store: memoryStore(), scope: 's' });
    return (key) => handler(httpEvent({ key }), lambdaContext()); // its source is known at once
  },
  async idempotentBatch() {
    const { idempotentBatch, memoryStore } = await import('effectively-once');
    const handler = idempotentBatch(async () => 1, { store: memoryStore(), scope: 's', key: ({ body }) => body });
    return (body) => handler({ Records: [sqsRecord(body)] }, lambdaContext());
  },
  async middy() {
    const { default: middy } = await import('@middy/core');
    const { memoryStore } = await import('effectively-once');
    const { idempotency } = await import('effectively-once/middy');
    const chain = middy<string, unknown>().use(idempotency<string>({ store: memoryStore(), scope: 's', key }));
    const handler = chain.handler(async () => 1);
    return async (event) => handler(event, lambdaContext());
  },
};

describe.each(Object.keys(DOORS))('%s', (door) => {
  const open = async () => (await DOORS[door]?.()) as (key: string) => Promise<unknown>;

  it('writes its metrics where IDEMPOTENCY_METRICS says so, from its first call on', async () => {
    vi.stubEnv('IDEMPOTENCY_METRICS', `emf:Shop/${door}`);
    const call = await open();
    await call('a');
    await call('a');
    const documents = written.map(emfDocument);
    // Those of the processes before this one, which has no other end, are in other namespaces.
    const own = documents.filter(({ _aws }) => _aws.CloudWatchMetrics[0]?.Namespace === `Shop/${door}`);
    expect(own.map(metricsIn)).toEqual([
      { Runs: 1, RunDuration: [expect.any(Number)] },
      { Replays: 1, DuplicatesStopped: 1 },
    ]);
  });

  it('writes to EffectivelyOnce if no namespace is said', async () => {
    vi.stubEnv('IDEMPOTENCY_METRICS', 'emf');
    await (await open())('a');
    const namespaces = written.map(emfDocument).map(({ _aws }) => _aws.CloudWatchMetrics[0]?.Namespace);
    expect(namespaces).toContain('EffectivelyOnce');
  });

  it.each(['', undefined])('loads nothing and listens to nothing if it is %j', async (value) => {
    vi.stubEnv('IDEMPOTENCY_METRICS', value);
    const load = vi.fn();
    vi.doMock('../../src/observe/environment.ts', load);
    const subscribe = vi.spyOn(channel('effectively-once'), 'subscribe');
    await (await open())('a');
    expect(load).not.toHaveBeenCalled();
    expect(subscribe).not.toHaveBeenCalled();
  });

  it.each(['true', 'EMF', 'emf:', 'emf:AWS/Lambda', 'emf: Shop', 'emf:Bücher', 'emf,otel', `emf:${'a'.repeat(256)}`])(
    'refuses %s, and says what it must be',
    async (value) => {
      vi.stubEnv('IDEMPOTENCY_METRICS', value);
      const opened = async () => (await open())('a');
      await expect(opened()).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: 'IDEMPOTENCY_METRICS of the environment must be emf or emf:<namespace>',
      });
    },
  );

  it('loads it once', async () => {
    vi.stubEnv('IDEMPOTENCY_METRICS', 'emf');
    const keep = vi.fn();
    vi.doMock('../../src/observe/environment.ts', () => ({ keep }));
    const call = await open();
    await call('a');
    await call('b');
    expect(keep).toHaveBeenCalledTimes(1);
  });

  it('goes on, and warns, if what writes the metrics cannot be loaded', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    vi.stubEnv('IDEMPOTENCY_METRICS', 'emf');
    vi.doMock('../../src/observe/environment.ts', () => {
      throw new Error('not deployed');
    });
    await (await open())('a');
    expect(warnings).toHaveBeenCalledWith(expect.any(Error));
  });
});

it('writes on when code that has asked for the same metrics does no longer', async () => {
  vi.stubEnv('IDEMPOTENCY_METRICS', 'emf:Kept');
  const call = (await DOORS['runOnce']?.()) as (key: string) => Promise<unknown>;
  await call('a');
  const { emf } = await import('effectively-once/observe');
  emf({ namespace: 'Kept' })();
  await call('b');
  expect(written.filter((line) => line.includes('"Kept"'))).toHaveLength(2);
});
