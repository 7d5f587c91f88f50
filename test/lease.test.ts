import {
  type Claimed,
  IdempotencyError,
  idempotent,
  idempotentBatch,
  runOnce,
  type Store,
  type Written,
} from 'effectively-once';
import { memoryStore } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { instead } from './stores/writes.ts';
import { lambdaContext, sqsRecord } from './ways.ts';

let store: Store;
beforeEach(() => {
  vi.useFakeTimers();
  store = memoryStore();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

const SKEW = 1_000;
const forever = () => new Promise<never>(() => {});
const call = (fn: (execution: any) => unknown, options = {}) =>
  runOnce({ store, scope: 'test', key: 'k', lease: '10s', ...options }, fn);
const codeOf = (run: Promise<unknown>) =>
  run.then(
    () => 'ran',
    (error: IdempotencyError) => error.code,
  );

describe('a lease that is shorter than the run', () => {
  it('is prolonged while the handler runs', async () => {
    const first = call(async () => {
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      return 'first';
    });
    for (let second = 0; second < 59; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await codeOf(call(() => 'second'))).toBe('CONFLICT');
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await first).toBe('first');
    expect(await call(() => 'second')).toBe('first');
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['commit', 'completion'])('is not taken over where an extension meets a %s of its own', async (what) => {
    const signals: AbortSignal[] = [];
    const slow = (write: () => Promise<any>) => async () => {
      const written = await write();
      await new Promise((resolve) => setTimeout(resolve, 3_500)); // the answer is on its way
      return written;
    };
    const inner = memoryStore();
    const acknowledgedLate: Store = {
      ...inner,
      write: (write, signal) =>
        write.kind === 'update' && write.change.kind === 'complete'
          ? slow(() => inner.write(write, signal))()
          : inner.write(write, signal),
      transact: (...args) => slow(() => inner.transact?.(...args) as Promise<unknown>)(),
    };
    const run = call(
      async ({ signal, commit }) => {
        signals.push(signal);
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        if (what === 'commit') await commit(1, []);
        return 1;
      },
      { store: acknowledgedLate },
    );
    await vi.advanceTimersByTimeAsync(6_000); // an extension at 5 s
    expect(await run).toBe(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is asked for again when the store does not answer', async () => {
    const failures = [true, true, false];
    const shaky = instead(store, 'update', async (_, send) => {
      if (failures.shift()) throw new Error('away');
      return send();
    });
    call(forever, { store: shaky });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await codeOf(call(() => 1))).toBe('CONFLICT');
    expect(failures).toEqual([]);
  });

  it('ends with the signal aborted when the store stays away, the clock skew before anybody takes over', async () => {
    const away = instead(store, 'update', () => Promise.reject(new Error('away')));
    let signal: AbortSignal | undefined;
    call(
      (execution) => {
        signal = execution.signal;
        return forever();
      },
      { store: away },
    );
    await vi.advanceTimersByTimeAsync(9_999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toMatchObject({ code: 'LEASE_LOST' });
    await vi.advanceTimersByTimeAsync(SKEW - 1);
    expect(await codeOf(call(() => 1))).toBe('CONFLICT');
    await vi.advanceTimersByTimeAsync(1);
    expect(await codeOf(call(() => 1))).toBe('ran');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends on time though an extension is still waiting for its answer', async () => {
    const silent = instead(store, 'update', () => new Promise(() => {}));
    let signal: AbortSignal | undefined;
    call(
      (execution) => {
        signal = execution.signal;
        return forever();
      },
      { store: silent, lease: 800 },
    );
    await vi.advanceTimersByTimeAsync(800);
    expect(signal?.aborted).toBe(true);
  });

  it('is prolonged also while its completion is under way', async () => {
    let delayed = false;
    const slow = instead(store, 'update', async ({ change }, send) => {
      if (change.kind === 'complete' && !delayed) {
        delayed = true;
        await new Promise((resolve) => setTimeout(resolve, 8_000));
      }
      return send();
    });
    const handler = idempotent(async () => 'first', {
      store: slow,
      scope: 'test',
      key: () => 'k',
      lease: '2s',
    });
    const first = handler({}, lambdaContext(60_000));
    await vi.advanceTimersByTimeAsync(7_000);
    expect(await codeOf(handler({}, lambdaContext(60_000)))).toBe('CONFLICT');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await first).toBe('first');
  });

  it('begins no step when it is over', async () => {
    const away = instead(store, 'update', () => Promise.reject(new Error('away')));
    const fn = vi.fn();
    const run = call(
      async ({ step }) => {
        await new Promise((resolve) => setTimeout(resolve, 11_000));
        return step('late', fn);
      },
      { store: away },
    );
    const code = codeOf(run);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await code).toBe('LEASE_LOST');
    expect(fn).not.toHaveBeenCalled();
  });

  it('ends at once when it was taken over', async () => {
    const losing = instead(store, 'update', async () => ({ done: false, found: undefined }));
    let signal: AbortSignal | undefined;
    call(
      (execution) => {
        signal = execution.signal;
        return forever();
      },
      { store: losing },
    );
    await vi.advanceTimersByTimeAsync(5_000);
    expect(signal?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not prolonged where it lasts as long as the invocation', async () => {
    const update = vi.fn((_: object, send: () => Promise<Written>) => send());
    const handler = idempotent(() => new Promise((resolve) => setTimeout(resolve, 8_000)), {
      store: instead(store, 'update', update),
      scope: 'test',
      key: () => 'k',
    });
    const run = handler({}, lambdaContext(10_000));
    await vi.advanceTimersByTimeAsync(8_000);
    await run;
    expect(update).toHaveBeenCalledTimes(1); // its completion
  });

  it('is never longer than the invocation', async () => {
    const handler = idempotent(forever, { store, scope: 'test', key: () => 'k', lease: '2s' });
    handler({}, lambdaContext(7_000));
    await vi.advanceTimersByTimeAsync(7_000 + SKEW - 1);
    expect(await codeOf(handler({}, lambdaContext(7_000)))).toBe('CONFLICT');
    await vi.advanceTimersByTimeAsync(1);
    const again = codeOf(handler({}, lambdaContext(7_000)));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await Promise.race([again, 'running'])).toBe('running');
  });
});

describe('how long a claim holds', () => {
  const holds = async (context: object | undefined, options: object, env: Record<string, string> = {}) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    let until = 0;
    const noted = instead(store, 'insert', ({ next }, send) => {
      until = (next as Claimed).leaseUntil;
      return send();
    });
    const handler = idempotent(async () => 1, {
      store: noted,
      scope: 'test',
      key: () => 'k',
      ...options,
    });
    await handler({}, context as any);
    return until - Date.now();
  };
  const remaining = (ms: unknown) => ({ getRemainingTimeInMillis: () => ms });

  it.each([
    ['the remaining time', remaining(3_000), {}, {}, 3_000],
    ['no time at all (A15)', remaining(0), {}, {}, 0],
    ['less than no time', remaining(-5), {}, {}, 0],
    ['the option', remaining(3_000), { lease: '2s' }, {}, 2_000],
    ['not more than remains', remaining(3_000), { lease: '1h' }, {}, 3_000],
    ['not more than the function may take', remaining(900_000), {}, { IDEMPOTENCY_FUNCTION_TIMEOUT: '30s' }, 30_000],
    [
      'what the function may take, where nobody says what remains',
      undefined,
      {},
      { IDEMPOTENCY_FUNCTION_TIMEOUT: '30s' },
      30_000,
    ],
    ['the option, where there is no context (A17)', undefined, { lease: 500 }, {}, 500],
    ['the option, where the context tells nonsense', remaining('soon'), { lease: 500 }, {}, 500],
  ])('%s', async (_, context, options, env, expected) => {
    expect(await holds(context, options, env)).toBe(expected + SKEW);
  });

  it('with the clock skew of the option', async () => {
    expect(await holds(remaining(3_000), { clockSkew: '5s' })).toBe(8_000);
    expect(await holds(remaining(3_000), { clockSkew: 0, scope: 'other' })).toBe(3_000);
  });

  it('is not known without a context: the option is required', async () => {
    await expect(holds(undefined, {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('`lease`'),
    });
  });
});

describe('what a run is told', () => {
  it('how much is left of the invocation', async () => {
    const left = idempotent(async (_, { idempotency }) => idempotency.remaining(), {
      store,
      scope: 'test',
      key: () => 'k',
    });
    expect(await left({}, lambdaContext(3_000))).toBe(3_000);
  });

  it('how much is left of the lease, where there is no invocation', async () => {
    expect(await call((execution) => execution.remaining())).toBe(10_000);
  });

  it('nothing about an end, where it is unprotected and nobody knows of one', async () => {
    expect(await call((execution) => execution.remaining(), { key: undefined, onMissingKey: 'run' })).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});

describe('the deadline', () => {
  const waiting = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const handled = (context: any, options = {}) =>
    idempotent(async () => waiting(6_000).then(() => 'done'), { store, scope: 'test', key: () => 'k', ...options })(
      {},
      context,
    );

  it.each([
    ['where the environment says less', lambdaContext(30_000)],
    ['where it says nothing', { functionName: 'test' }],
    ['where what it says is of no use', { getRemainingTimeInMillis: () => Number.NaN }],
    ['where what it says is no number', { getRemainingTimeInMillis: () => '30000' }],
  ])('is what the context says, and a run is never overtaken by another: %s', async (_, context) => {
    vi.stubEnv('IDEMPOTENCY_FUNCTION_TIMEOUT', '2s');
    const first = handled(context);
    for (let second = 1; second < 6; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await codeOf(handled(lambdaContext(30_000)))).toBe('CONFLICT');
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await first).toBe('done');
  });

  it('bounds a claim by the timeout of the environment, so that a run that died is taken over soon', async () => {
    vi.stubEnv('IDEMPOTENCY_FUNCTION_TIMEOUT', '2s');
    const leases: number[] = [];
    const noted = instead(store, 'insert', ({ next }, send) => {
      leases.push((next as Claimed).leaseUntil - Date.now());
      return send();
    });
    const done = handled(lambdaContext(900_000), { store: noted });
    await vi.advanceTimersByTimeAsync(6_000);
    await done;
    expect(leases).toEqual([2_000 + SKEW]);
  });

  it('is not the business of an environment that says next to nothing', async () => {
    vi.stubEnv('IDEMPOTENCY_FUNCTION_TIMEOUT', '40ms');
    const first = handled(lambdaContext(30_000));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await codeOf(handled(lambdaContext(30_000)))).toBe('CONFLICT');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await first).toBe('done');
  });

  it('that has passed leaves nothing to prolong', async () => {
    const extended: unknown[] = [];
    const noted = instead(store, 'update', ({ change }, send) => {
      if (change.kind === 'extend') extended.push(change);
      return send();
    });
    call(
      async () => {
        vi.setSystemTime(Date.now() + 60_000); // the process was frozen: the timers know nothing of it
        return forever();
      },
      { store: noted },
    );
    await vi.advanceTimersByTimeAsync(60_000);
    expect(extended).toEqual([]);
  });
});

describe("onConflict: 'wait'", () => {
  it('gives up shortly before the deadline', async () => {
    const handler = idempotent(forever, { store, scope: 'test', key: () => 'k', onConflict: 'wait' });
    handler({}, lambdaContext(60_000));
    await vi.advanceTimersByTimeAsync(0);
    const waiting = codeOf(handler({}, lambdaContext(5_000)));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await Promise.race([waiting, 'waiting'])).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1_500);
    expect(await waiting).toBe('CONFLICT');
  });

  it('takes over when the lease ends', async () => {
    const handler = idempotent(async (event: { value: unknown }) => event.value, {
      store,
      scope: 'test',
      key: () => 'k',
      fingerprint: false,
      onConflict: 'wait',
    });
    handler({ value: forever() }, lambdaContext(3_000));
    await vi.advanceTimersByTimeAsync(0);
    const waiting = handler({ value: 'second' }, lambdaContext(30_000));
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await waiting).toBe('second');
  });

  it('without a deadline ends after as long as the lease', async () => {
    call(forever, { lease: '1h' });
    await vi.advanceTimersByTimeAsync(0);
    const start = Date.now();
    const waiter = codeOf(call(() => 'never', { onConflict: 'wait', lease: '20s' }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await waiter).toBe('CONFLICT');
    expect(Date.now()).toBeGreaterThan(start);
    const quick = vi.fn();
    codeOf(call(() => 'never', { onConflict: 'wait', lease: '20s' })).then(quick);
    await vi.advanceTimersByTimeAsync(19_000);
    expect(quick).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(600);
    expect(quick).toHaveBeenCalledWith('CONFLICT');
  });

  it('lasts until shortly before the deadline, also with a short lease', async () => {
    const handler = (ms: number) =>
      idempotent(async () => new Promise((resolve) => setTimeout(resolve, ms, 'done')), {
        store,
        scope: 'test',
        key: () => 'k',
        onConflict: 'wait',
        lease: '2s',
      });
    const first = handler(5_000)({}, lambdaContext(30_000));
    await vi.advanceTimersByTimeAsync(0);
    const waiter = handler(0)({}, lambdaContext(30_000));
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await Promise.all([first, waiter])).toEqual(['done', 'done']);
  });

  it('of what a run has left behind is no waiting for itself', async () => {
    const later = Promise.withResolvers<string>();
    const failed = call(async () => {
      setTimeout(() => codeOf(call(() => 'late', { onConflict: 'wait' })).then(later.resolve), 1_000);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    const gate = Promise.withResolvers<string>();
    const other = call(() => gate.promise);
    await vi.advanceTimersByTimeAsync(2_000);
    gate.resolve('other');
    await other;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await later.promise).toBe('ran'); // it got the outcome
  });

  it('of a run for its own key is MISUSE, however deep', async () => {
    const nested = async () => {
      await Promise.resolve();
      return codeOf(call(() => 'inner', { onConflict: 'wait' }));
    };
    expect(await call(nested, { onConflict: 'wait' })).toBe('MISUSE');
    const within = call(({ step }) => step('inner', nested), { key: 'other', onConflict: 'wait' });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await within).toBe('ran'); // of another key
    const looking = { onConflict: 'wait', onUnknown: async () => ({ value: await nested() }) } as const;
    call(forever, { key: 'lost', ...looking }).catch(() => {});
    vi.setSystemTime(Date.now() + 60_000);
    const inner = codeOf(call(() => 'inner', { key: 'lost', onConflict: 'wait' }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await inner).toBe('ran');
  });

  it('asks seldomer with time, and once more shortly before it gives up', async () => {
    call(forever, { lease: '1h' });
    await vi.advanceTimersByTimeAsync(0);
    const start = Date.now();
    const asked: number[] = [];
    const noted = instead(store, 'insert', (_, send) => {
      asked.push(Date.now() - start);
      return send();
    });
    const waiter = codeOf(call(() => 'never', { store: noted, onConflict: 'wait', lease: '30s' }));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await waiter).toBe('CONFLICT');
    expect(asked.length).toBeLessThan(30);
    expect(asked.at(-1)).toBe(29_500);
    const pauses = asked.slice(1, -1).map((at, index) => at - (asked[index] ?? 0));
    expect(Math.max(...pauses.slice(0, 3))).toBeLessThan(100);
    expect(Math.min(...pauses.slice(15))).toBeGreaterThan(1_000);
  });

  it('of 500 on one key never starves the run that they wait for, at 150 writes a second', async () => {
    let second = 0;
    let used = 0;
    const limited: Store = {
      ...store,
      write: async (write, signal) => {
        const now = Math.floor(Date.now() / 1_000);
        used = now === second ? used + 1 : 1;
        second = now;
        if (used <= 150) return store.write(write, signal);
        throw new IdempotencyError('STORE_UNAVAILABLE', 'throttled', { isPassing: true, isUnwritten: true });
      },
    };
    let runs = 0;
    const handler = idempotent(
      async () => {
        runs++;
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        return 'done';
      },
      { store: limited, scope: 'test', key: () => 'k', onConflict: 'wait' },
    );
    const owner = handler({}, lambdaContext(10_000));
    await vi.advanceTimersByTimeAsync(100);
    const waiters = Array.from({ length: 500 }, () => handler({}, lambdaContext(10_000)).catch(({ code }) => code));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await owner).toBe('done');
    const answers = await Promise.all(waiters);
    expect(runs).toBe(1);
    expect(answers.filter((answer) => answer === 'done').length).toBeGreaterThan(150); // a second of the table, at least
    expect(new Set(answers)).toEqual(new Set(['done', 'STORE_UNAVAILABLE']));
  });

  it('goes on while the store is throttled, once it is told of the conflict', async () => {
    const gate = Promise.withResolvers<string>();
    const first = call(() => gate.promise);
    await vi.advanceTimersByTimeAsync(0);
    let claims = 0;
    const throttled = instead(store, 'insert', async (_, send) => {
      claims++;
      if (claims > 1 && claims < 5) {
        throw new IdempotencyError('STORE_UNAVAILABLE', 'throttled', { isPassing: true, isUnwritten: true });
      }
      return send();
    });
    const waiter = call(() => 'never', { store: throttled, onConflict: 'wait' });
    gate.resolve('first');
    await first;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await waiter).toBe('first');
    expect(claims).toBe(5); // no try of its own at a refused claim
  });
});

describe('a lease of a record that waited for its turn', () => {
  it.each([
    ['with the invocation, where the environment alone says when', {}, 30_000],
    ['after the timeout of the environment, where the context says more', lambdaContext(900_000), 40_000],
  ])('ends %s', async (_, context, second) => {
    vi.stubEnv('IDEMPOTENCY_FUNCTION_TIMEOUT', '30s');
    const leases: number[] = [];
    const noted = instead(store, 'insert', ({ next }, send) => {
      leases.push((next as Claimed).leaseUntil);
      return send();
    });
    const handler = idempotentBatch(() => new Promise((resolve) => setTimeout(resolve, 10_000)), {
      store: noted,
      scope: 'test',
      concurrency: 1,
    });
    const started = Date.now();
    const run = handler({ Records: [sqsRecord('a'), sqsRecord('b')] }, context as any);
    await vi.advanceTimersByTimeAsync(20_000);
    await run;
    expect(leases).toEqual([started + 30_000 + SKEW, started + second + SKEW]);
  });
});
