import type { Job } from './jobs.ts';

export const FAILING = [0.05, 0.1, 0.2, 0.3] as const;
export const ATTEMPTS = [1, 3, 5] as const;
export const BURSTS = [10, 200, 1_000] as const;

/** Each p with each number of attempts: with the budget, without it, and with the key lost on the way. */
export function sequenceJobs(calls: number): readonly Job[] {
  const cells = FAILING.flatMap((p) => ATTEMPTS.map((attempts) => ({ p, attempts })));
  const most = Math.ceil(calls / cells.length);
  const fewer = Math.ceil(most / 8);
  return cells.flatMap((cell, index) => {
    const job = { kind: 'sequence', seed: index + 1, ...cell } as const;
    return [
      { ...job, budget: true, calls: most },
      { ...job, budget: false, calls: fewer },
      { ...job, budget: false, calls: fewer, isKeyLost: true },
    ];
  });
}

/** Each size as often as makes the same number of calls. */
export function burstJobs(calls: number): readonly Job[] {
  const all = Math.max(1_000, Math.ceil(calls / 50));
  return BURSTS.flatMap((size) =>
    [true, false].map((budget) => {
      const times = Math.ceil(all / size);
      return { kind: 'burst', seed: size, attempts: 3, budget, p: 0.3, size, times } as const;
    }),
  );
}

export function outageJobs(): readonly Job[] {
  return [true, false].map((budget) => {
    return { kind: 'outage', seed: 1, attempts: 3, budget, perSecond: 20, from: 60, to: 120, end: 240 } as const;
  });
}
