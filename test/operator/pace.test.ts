import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { paced } from '../../src/operator/pace.ts';

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

/** Requests of so many workers side by side, for a minute; gives the units that were consumed by the end of each second. */
async function consumed(unitsPerSecond: number, unitsPerItem: number, workers: number): Promise<number[]> {
  const turn = paced(unitsPerSecond, new AbortController().signal);
  let units = 0;
  const work = async (): Promise<void> => {
    while (Date.now() < 60_000) {
      const { limit, took } = await turn();
      const items = Math.min(limit, Math.floor(128 / unitsPerItem)); // 1 MB
      units += items * unitsPerItem;
      took(items, items * unitsPerItem);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  for (let worker = 0; worker < workers; worker++) void work();
  const seen: number[] = [];
  for (let second = 1; second <= 60; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    seen.push(units);
  }
  return seen;
}

it.each([
  [200, 0.0625, 4],
  [200, 0.5, 1],
  [20, 0.125, 8],
  [5, 50, 4],
  [1, 0.0625, 1],
])(
  '%i units a second are consumed, and no more, by items of %d units and %i workers',
  async (rate, perItem, workers) => {
    const seen = await consumed(rate, perItem, workers);
    for (const [index, units] of seen.entries())
      expect(units).toBeLessThanOrEqual((index + 1) * rate + Math.max(rate, 128));
    const [last = 0] = seen.slice(-1);
    expect(last).toBeLessThanOrEqual(60 * rate + Math.max(rate, 128));
    expect(last).toBeGreaterThan(0.8 * 60 * rate - 128);
  },
);

it('a small table does not wait for shares that nobody takes', async () => {
  const turn = paced(200, new AbortController().signal);
  const segment = async (): Promise<number> => {
    const { took } = await turn();
    took(2, 1);
    return Date.now();
  };
  const ends = Promise.all(Array.from({ length: 4 }, segment));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(Math.max(...(await ends))).toBeLessThan(500);
});

it('nobody waits, and no timer is left, when the scan is given up', async () => {
  const gone = new AbortController();
  const turn = paced(1, gone.signal);
  (await turn()).took(1, 128);
  const waiting = turn();
  expect(vi.getTimerCount()).toBe(1);
  gone.abort();
  await waiting;
  expect(vi.getTimerCount()).toBe(0);
});

it.each([
  [200, 0.0625, 2_000],
  [20, 0.125, 160],
  [5, 50, 1],
])(
  "of %i units a second, and items of %d, a request takes a second's worth: %i items",
  async (rate, perItem, limit) => {
    const turn = paced(rate, new AbortController().signal);
    (await turn()).took(1, perItem);
    const next = turn();
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await next).limit).toBe(limit);
  },
);
