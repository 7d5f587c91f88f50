import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdempotencyError } from '../../src/core/errors.ts';
import { patient } from '../../src/core/patience.ts';
import type { Store } from '../../src/core/store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { claimed } from '../stores/contract.ts';
import { insert } from '../stores/writes.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const silent: Store['write'] = () => new Promise(() => {});
const failing = (error: unknown): Store => ({ ...memoryStore(), write: () => Promise.reject(error) });
const write = (store: Store, signal?: AbortSignal) =>
  store.write(insert(claimed()), signal).catch((error: unknown) => error);

describe('a store that does not answer', () => {
  it.each([
    ['half of what is left', 3_000, 1_500],
    ['at most 10 s', 900_000, 10_000],
    ['at least 250 ms', 0, 250],
  ])('is given up after %s', async (_, remaining, ms) => {
    const answer = write(patient({ ...memoryStore(), write: silent }, () => remaining));
    const settled = vi.fn();
    answer.then(settled);
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: `the store did not answer within ${ms} ms`,
    });
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
    const answer = write(
      patient(store, () => 60_000),
      stop.signal,
    );
    stop.abort();
    expect(await answer).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(told?.aborted).toBe(true);
  });
});

describe('a store that answers', () => {
  it('leaves no timer and no listener behind', async () => {
    const stop = new AbortController();
    const store = patient(memoryStore(), () => 60_000);
    expect(await write(store, stop.signal)).toEqual({ done: true });
    await write(
      patient(failing(new Error('away')), () => 60_000),
      stop.signal,
    );
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('by an error of its own, is unavailable for that reason; one of ours is handed on', async () => {
    const cause = new Error('away');
    const error = await write(patient(failing(cause), () => 60_000));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'the store failed', cause });
    const ours = new IdempotencyError('CONFIG_INVALID', 'no table');
    expect(await write(patient(failing(ours), () => 60_000))).toBe(ours);
  });
});
