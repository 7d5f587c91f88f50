import { idempotent, memoryStore, runOnce } from 'effectively-once';
import { log } from 'effectively-once/observe';
import { faulty } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordId } from '../../src/core/identity.ts';
import { lambdaContext } from '../ways.ts';

const lines: [level: string, line: string][] = [];
const logger = {
  warn: (line: string) => lines.push(['warn', line]),
  error: (line: string) => lines.push(['error', line]),
};
const entries = () => lines.splice(0).map(([level, line]) => [level, JSON.parse(line)]);

let stop: () => void;
beforeEach(() => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  stop = log({ logger });
});
afterEach(() => {
  stop();
  lines.length = 0;
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const options = { scope: 'charge', key: 'secret-k', payload: 'secret-p', lease: '1s' } as const;
const id = recordId('charge', [], undefined, options.key);
const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

/** A run whose completion nobody hears of. */
const unsure = () => {
  const store = faulty(memoryStore());
  store.next('update', 'refuse');
  return runOnce({ ...options, store }, () => 'secret-v');
};

describe('log', () => {
  it('tells of an end that is not sure, by the id of the record', async () => {
    await unsure();
    expect(entries()).toEqual([
      [
        'error',
        {
          ...{ timestamp, level: 'ERROR', message: expect.any(String), code: 'OUTCOME_UNKNOWN', type: 'unsure' },
          ...{ id, attempt: 1, why: 'completion', scope: 'charge', source: 'run-once' },
        },
      ],
    ]);
  });

  it('tells of a lease that was lost', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const store = memoryStore();
    const taker = Promise.withResolvers<void>();
    await runOnce({ ...options, store }, async () => {
      vi.setSystemTime(Date.now() + 60_000);
      void runOnce({ ...options, store }, () => {
        taker.resolve();
        return new Promise(() => {});
      });
      await taker.promise;
    }).catch(() => {});
    expect(entries()).toMatchObject([['warn', { level: 'WARN', code: 'LEASE_LOST', type: 'lost', id, attempt: 1 }]]);
  });

  it('tells of a refusal because of the configuration, what is wrong, and of which invocation', async () => {
    const context = { ...lambdaContext(), functionName: '', awsRequestId: 'request-1' };
    const principal = () => '';
    const handler = idempotent(async () => 1, { store: memoryStore(), scope: 's', key: () => 'k', principal });
    await handler({}, context).catch(() => {});
    const message = expect.stringContaining('`principal`');
    const ofAll = { timestamp, scope: 's', source: 'plain', requestId: 'request-1' };
    expect(entries()).toEqual([
      ['error', { ...ofAll, level: 'ERROR', message, code: 'CONFIG_INVALID', type: 'refused' }],
    ]);
  });

  it('is silent of runs, replays and refusals that are in order', async () => {
    const store = memoryStore();
    await runOnce({ ...options, store }, () => 1);
    await runOnce({ ...options, store }, () => 1);
    await runOnce({ ...options, store, payload: 'other' }, () => 1).catch(() => {});
    await runOnce({ ...options, store, key: '' }, () => 1).catch(() => {});
    expect(lines).toEqual([]);
  });

  it('has never a key, a payload or a value', async () => {
    await unsure();
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('ends when it is told to', async () => {
    stop();
    await unsure();
    expect(lines).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('full');
      },
    ],
    [
      'answers later, and fails',
      async () => {
        throw new Error('full');
      },
    ],
  ])('harms no run if its logger %s: that is a warning', async (_, broken) => {
    stop();
    stop = log({ logger: { warn: broken, error: broken } });
    expect(await unsure()).toBe('secret-v');
    await vi.waitFor(() =>
      expect(process.emitWarning).toHaveBeenCalledWith('a listener threw Error: full', 'IdempotencyWarning'),
    );
  });

  it('logs by console, or in Lambda to standard output, where nothing is put before the line', async () => {
    stop();
    stop = log();
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    await unsure();
    expect(JSON.parse(said.mock.calls[0]?.[0])).toMatchObject({ type: 'unsure' });
    vi.stubEnv('LAMBDA_TASK_ROOT', '/var/task');
    const written = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    await unsure();
    const [[line] = []] = written.mock.calls;
    written.mockRestore();
    expect(JSON.parse(String(line))).toMatchObject({ type: 'unsure' });
    expect(said).toHaveBeenCalledTimes(1);
    stop();
    stop = log({ logger });
    await unsure();
    expect(entries()).toMatchObject([['error', { type: 'unsure' }]]); // a logger of your own gets it there, too
  });

  it.each([[{ logger: {} }], [{ logger: { warn: () => {} } }], [{ level: 'WARN' }]])(
    'takes no options such as %j',
    (bad) => {
      expect(() => log(bad as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );
});
