import type { Verdict } from './verdict.ts';

/**
 * Ms: the most before the first retry, which doubles, and the most of all; and what a retry takes of the budget. A wait costs
 * neither tokens nor an attempt.
 */
const PACES: Readonly<Partial<Record<Verdict, readonly [first: number, most: number, cost: number]>>> = {
  retry: [50, 20_000, 14],
  throttled: [1_000, 20_000, 5],
  wait: [50, 2_000, 0],
};

/** What has been done of a call: attempts that are over, and waits in a row, which are none. */
export interface Course {
  readonly tried: number;
  readonly waits: number;
}

export interface Step extends Course {
  readonly delayMs: number;
  readonly cost: number;
}

/**
 * What comes after an attempt; undefined: nothing. Full jitter, as in the SDKs of AWS: anything up to the most, but not below
 * what the server asks for. `random`: from 0 to 1.
 */
export function stepAfter(
  verdict: Verdict,
  { tried, waits }: Course,
  attempts: number,
  retryAfter: number | undefined,
  random: number,
): Step | undefined {
  const isWait = verdict === 'wait';
  const done = isWait ? { tried, waits: waits + 1 } : { tried: tried + 1, waits: 0 };
  const pace = PACES[verdict];
  if (!pace || done.tried >= attempts) return undefined;
  const [first, most, cost] = pace;
  const jittered = random * Math.min(most, first * 2 ** (isWait ? waits : tried));
  return { ...done, cost, delayMs: Math.max(retryAfter ?? 0, jittered) };
}
