import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdempotencyError } from '../../src/core/errors.ts';
import { inTime, isTransient, type Phase, patienceFor, patient, persistently } from '../../src/core/patience.ts';
import type { Place, Store, Transacted, Written } from '../../src/core/store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { claimed } from '../stores/contract.ts';
import { insert } from '../stores/writes.ts';

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const DONE: Written = { done: true };
const down = (more: { cause?: unknown; isUnwritten?: boolean } = {}) =>
  new IdempotencyError('STORE_UNAVAILABLE', 'down', { isPassing: true, ...more });
const throttled = () => down({ isUnwritten: true, cause: new Error('throttled') });

/** A store whose writes meet one thing after the other; the last one stays. */
function meeting(...ends: (Written | Error | 'silence')[]) {
  const tries: number[] = [];
  const write: Store['write'] = async () => {
    tries.push(Date.now());
    const end = ends.length > 1 ? ends.shift() : ends[0];
    if (end instanceof Error) throw end;
    return end === 'silence' ? new Promise(() => {}) : (end as Written);
  };
  return { tries, store: { ...memoryStore(), write } as Store };
}

/** How a write of the store ends, and after how many ms. */
async function writing(store: Store, ms: number, phase: Exclude<Phase, 'body'> = 'run', signal?: AbortSignal) {
  const start = Date.now();
  const deadline = start + ms;
  let end: unknown;
  let after = -1;
  patient(store, () => deadline - Date.now(), phase)
    .write(insert(claimed()), signal)
    .then(
      (written) => {
        end = written;
      },
      (error) => {
        end = error;
      },
    )
    .finally(() => {
      after = Date.now() - start;
    });
  await vi.runAllTimersAsync();
  return { end, after };
}

describe('a store that does not answer', () => {
  it.each([
    ['half of what is left', 3_000, 1_500],
    ['at most 10 s', 900_000, 10_000],
    ['at least 250 ms', 0, 250],
  ])('is given up after %s', async (_, remaining, ms) => {
    const { store, tries } = meeting('silence');
    const { end, after } = await writing(store, remaining, 'poll');
    expect(end).toMatchObject({ code: 'STORE_UNAVAILABLE', message: `no answer within ${ms} ms` });
    expect([after, tries.length]).toEqual([ms, 1]);
  });

  it('is given up at once when it is stopped, and is told to stop', async () => {
    let told: AbortSignal | undefined;
    const stop = new AbortController();
    const store: Store = {
      ...memoryStore(),
      write: (_, signal) => {
        told = signal;
        return new Promise(() => {});
      },
    };
    const answer = patient(store, () => 60_000, 'run').write(insert(claimed()), stop.signal);
    stop.abort();
    await expect(answer).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(told?.aborted).toBe(true);
  });

  it('leaves no timer and no listener behind when it is given up', async () => {
    const { store } = meeting('silence');
    const stop = new AbortController();
    const write = patient(store, () => 20_000, 'run')
      .write(insert(claimed()), stop.signal)
      .catch(() => {});
    stop.abort();
    await write;
    expect([vi.getTimerCount(), getEventListeners(stop.signal, 'abort').length]).toEqual([0, 0]);
  });

  it('is asked again by a run', async () => {
    const { store, tries } = meeting('silence', DONE);
    const { end, after } = await writing(store, 10_000);
    expect([end, after, tries.length]).toEqual([DONE, 5_025, 2]);
  });

  it('and fails after it was given up, is tried once for both', async () => {
    const fails: (() => void)[] = [];
    const write = vi.fn(() => new Promise<Written>((_, reject) => fails.push(() => reject(throttled()))));
    const answer = patient({ ...memoryStore(), write }, () => 10_000, 'run').write(insert(claimed()));
    const refusal = expect(answer).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await vi.advanceTimersByTimeAsync(5_000);
    fails[0]?.();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(write).toHaveBeenCalledTimes(2);
    await vi.runAllTimersAsync();
    await refusal;
  });

  it('and was throttled before is given up for that reason', async () => {
    const { store } = meeting(throttled(), 'silence');
    const { end } = await writing(store, 10_000, 'claim');
    expect(end).toMatchObject({ message: expect.stringMatching('no answer'), cause: new Error('throttled') });
  });
});

describe('a store that fails', () => {
  const later = Array.from({ length: 100 }, (_, n) => 1_775 + 500 * n);

  it.each([
    ['a run', 'run', 10_000, 9_500],
    ['a run without a deadline', 'run', Number.POSITIVE_INFINITY, 9_500],
    ['a claim, for a quarter of what is left', 'claim', 4_000, 1_000],
    ['a claim, for 2 s at most', 'claim', 60_000, 2_000],
    ['a poll', 'poll', 60_000, 0],
  ] as const)('is asked again by %s', async (_, phase, left, until) => {
    const { store, tries } = meeting(throttled());
    const start = Date.now();
    const { end, after } = await writing(store, left, phase);
    expect(end).toMatchObject({ code: 'STORE_UNAVAILABLE', isUnwritten: true, cause: new Error('throttled') });
    expect(tries.map((at) => at - start)).toEqual(
      [0, 25, 75, 175, 375, 775, 1_275]
        .concat(later)
        .filter((at) => at < until)
        .concat(until),
    );
    expect(after).toBe((tries.at(-1) ?? 0) - start);
  });

  it('heals', async () => {
    const { store } = meeting(throttled(), down(), DONE);
    expect((await writing(store, 10_000)).end).toEqual(DONE);
  });

  it('by an error of its own is unavailable for that reason, and may have written', async () => {
    const cause = new Error('away');
    const { end } = await writing(meeting(cause).store, 0);
    expect(end).toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'the store failed', cause });
    expect(end).not.toHaveProperty('isUnwritten');
  });

  it.each(['CONFIG_INVALID', 'STORE_UNAVAILABLE'] as const)(
    'by %s, and does not say that it may pass, is not asked again',
    async (code) => {
      const ours = new IdempotencyError(code, 'no table');
      const { store, tries } = meeting(ours);
      expect((await writing(store, 10_000)).end).toBe(ours);
      expect(tries).toHaveLength(1);
    },
  );

  it('may have written what one of its tries may have', async () => {
    const late = await writing(meeting(down(), throttled()).store, 1_000);
    expect(late.end).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: new Error('throttled') });
    expect(late.end).not.toHaveProperty('isUnwritten');
    const denied = await writing(meeting(down(), new IdempotencyError('CONFIG_INVALID', 'denied')).store, 10_000);
    expect(denied.end).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: { code: 'CONFIG_INVALID' } });
    const last = await writing(meeting(throttled(), down()).store, 600);
    expect(last.end).toMatchObject({ message: 'down', cause: new Error('throttled') });
    expect(last.end).not.toHaveProperty('isUnwritten');
  });

  it('has one patience for all calls of a claim', async () => {
    const { store, tries } = meeting(throttled());
    const claiming = patient(store, () => 60_000, 'claim');
    const first = claiming.write(insert(claimed())).catch(() => {});
    await vi.runAllTimersAsync();
    await first;
    const before = tries.length;
    await claiming.write(insert(claimed())).catch(() => {});
    expect(tries.length - before).toBe(1);
  });

  it('has written nothing by a read', async () => {
    const ends = [down(), new IdempotencyError('CONFIG_INVALID', 'denied')];
    const read = patient({ ...memoryStore(), read: () => Promise.reject(ends.shift()) }, () => 10_000, 'run').read?.(
      'id',
    );
    const failed = expect(read).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await vi.runAllTimersAsync();
    await failed;
  });

  it('is not asked again once it is stopped', async () => {
    const stop = new AbortController();
    const { store, tries } = meeting(down());
    stop.abort();
    await writing(store, 10_000, 'run', stop.signal);
    expect(tries).toHaveLength(1);
    const later = new AbortController();
    setTimeout(() => later.abort(), 60);
    await writing(store, 10_000, 'run', later.signal);
    expect(tries).toHaveLength(1 + 2);
  });
});

describe('a transaction', () => {
  const transacting = (...ends: (Transacted | Error)[]): Store => ({
    ...memoryStore(),
    transact: async () => {
      const end = ends.shift();
      if (end instanceof Error) throw end;
      return end as Transacted;
    },
  });
  const commit = async (store: Store): Promise<unknown> => {
    const end = (patient(store, () => 10_000, 'run') as Required<Store>)
      .transact(insert(claimed()), [])
      .catch((error) => error);
    await vi.runAllTimersAsync();
    return end;
  };
  const refused = { done: false, refusal: new Error('no stock') } as const;

  it('that is refused was not written, unless an earlier try may have been', async () => {
    expect(await commit(transacting(refused))).toBe(refused);
    expect(await commit(transacting(throttled(), refused))).toBe(refused);
    expect(await commit(transacting(down(), refused))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('may have been written'),
      cause: refused.refusal,
    });
    expect(await commit(transacting(down(), DONE))).toBe(DONE);
  });
});

describe('a store that answers', () => {
  it('leaves no timer and no listener behind', async () => {
    const stop = new AbortController();
    const store = patient(memoryStore(), () => 60_000, 'run');
    expect(await store.write(insert(claimed()), stop.signal)).toEqual(DONE);
    const failing = patient(meeting(new IdempotencyError('CONFIG_INVALID', 'no')).store, () => 60_000, 'run');
    await failing.write(insert(claimed()), stop.signal).catch(() => {});
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps a body while there is time to write its record', async () => {
    const tries: number[] = [];
    const keep: Store['keep'] = async () => {
      tries.push(Date.now());
      throw down();
    };
    const place: Place = { record: claimed() };
    const start = Date.now();
    const kept = patient({ ...memoryStore(), keep }, () => 2_000, 'run').keep?.({ kind: 'value' }, place);
    const failed = expect(kept).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await vi.runAllTimersAsync();
    await failed;
    expect((tries.at(-1) as number) - start).toBe(1_000);
  });
});

describe('persistently', () => {
  it('spreads its tries', async () => {
    vi.mocked(Math.random).mockReturnValue(1);
    const start = Date.now();
    const tries: number[] = [];
    const attempt = async () => {
      tries.push(Date.now() - start);
      throw new Error('no');
    };
    const end = persistently(attempt, () => true, 400).catch(() => {});
    await vi.runAllTimersAsync();
    await end;
    expect(tries).toEqual([0, 50, 150, 350, 400]);
  });

  it('tries again while that may help, and once more at the end', async () => {
    const attempt = vi.fn(() => Promise.reject(new Error('no')));
    const end = persistently(attempt, () => true, patienceFor('run', 1_000)).catch((error) => error);
    await vi.runAllTimersAsync();
    expect(await end).toEqual(new Error('no'));
    expect(attempt).toHaveBeenCalledTimes(6); // at 0, 25, 75, 175, 375, 500 ms
  });
});

describe('one try', () => {
  it('throws what it meets, if nobody says what becomes of it', async () => {
    await expect(inTime(() => Promise.reject(new Error('no')), 1_000)).rejects.toThrow('no');
  });

  it('throws what it meets at once', async () => {
    const send = () => {
      throw new Error('at once');
    };
    await expect(inTime(send, 1_000)).rejects.toThrow('at once');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not tried again after an error that says nothing of it', () => {
    for (const thrown of [undefined, null, 'no', new Error('no')]) expect(isTransient(thrown)).toBe(false);
  });
});
