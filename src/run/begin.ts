import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { type Claim, claim } from '../core/claim.ts';
import { IdempotencyError, isIdempotencyError, misuse, withRecord } from '../core/errors.ts';
import { publish } from '../core/events.ts';
import { paused, RESERVE_MS } from '../core/patience.ts';
import type { Execution } from '../execution.ts';
import type { Settings } from '../options.ts';
import { type Answer, claimRefusal, recorded } from './answer.ts';
import { type Arrival, refused } from './arrival.ts';
import { atomicRun } from './atomic.ts';
import { claimedRun } from './claimed.ts';
import type { Span } from './lease.ts';
import { reconciled } from './reconcile.ts';
import { isRun, type Run } from './run.ts';
import { unprotectedRun } from './unprotected.ts';

/** Begin, run, end: what every door does that calls the handler itself. `onThrown`: called with what `run` throws. */
export async function once(
  settings: Settings,
  arrival: Arrival,
  run: (execution: Execution) => unknown,
  onThrown?: (error: unknown) => void,
): Promise<Answer> {
  const begun = await begin(settings, arrival);
  if (!isRun(begun)) return begun;
  return await inside(arrival, async () => {
    let answer: unknown;
    try {
      answer = await run(begun.execution);
    } catch (error) {
      onThrown?.(error);
      return await begun.end({ kind: 'threw', error });
    }
    return await begun.end({ kind: 'returned', answer, isOutcome: arrival.isOutcome(answer) });
  });
}

/** Another run is under way, and whoever is called is to ask again later: nothing is told of it. */
export class Deferred extends Error {}

/** Claims the key, and gives a run, or the answer to a duplicate. Throws refusals, and {@link Deferred}. */
export async function begin(settings: Settings, arrival: Arrival): Promise<Run | Answer> {
  const { about, id, key } = arrival;
  if (key === undefined) return withoutKey(settings, arrival);
  if (settings.mode === 'atomic') return atomicRun(settings, arrival);
  let attempt: Attempt;
  try {
    attempt = await claimOrWait(settings, arrival);
  } catch (error) {
    throw error instanceof Deferred ? error : refused(about, withRecord(error, id));
  }
  const { claimed, span, remaining } = attempt;
  const { outcomes, onUnknown, storeWithin } = settings;
  const replayer = () => ({ id, remaining, outcomes, store: storeWithin(remaining, 'claim'), arrival });
  switch (claimed.kind) {
    case 'acquired': {
      const { takeover } = claimed;
      const run = claimedRun(settings, arrival, span, claimed);
      if (typeof onUnknown !== 'function' || takeover?.from !== 'abandoned') return run;
      return inside(arrival, () => reconciled(run, takeover.seen, { ...replayer(), onUnknown }));
    }
    case 'replay':
      return recorded(claimed, replayer(), (refusal) => {
        const whole = { ...about, attempt: claimed.attempt };
        if (refusal) refused(whole, refusal);
        else publish(whole, { type: 'replayed' });
      });
    default:
      throw refused(about, claimRefusal(claimed, arrival));
  }
}

function withoutKey({ onMissingKey }: Settings, arrival: Arrival): Run {
  if (onMissingKey === 'run' || arrival.isNatural) return unprotectedRun(arrival);
  const message = `no idempotency key: ${arrival.words.missing}`;
  throw refused(arrival.about, new IdempotencyError('KEY_MISSING', message));
}

/** A run that the code which is running stands in, directly or by another. */
interface Inside {
  readonly id: string;
  readonly outer: Inside | undefined;
  isOver: boolean;
}

const INSIDE = new AsyncLocalStorage<Inside>();

async function inside<T>({ id }: Arrival, work: () => T): Promise<Awaited<T>> {
  const run: Inside = { id, outer: INSIDE.getStore(), isOver: false };
  try {
    return await INSIDE.run(run, work);
  } finally {
    run.isOver = true; // timers that it has set may go on
  }
}

function isInside(id: string, run = INSIDE.getStore()): boolean {
  return run !== undefined && ((run.id === id && !run.isOver) || isInside(id, run.outer));
}

/** Ms that the environment cannot go below: a shorter claim could not be prolonged in time. */
const LEAST_MS = 1_000;

// What the environment says bounds a claim, and not a run: it may differ from the truth.
function spanOf({ functionTimeout, lease }: Settings, arrival: Arrival): Span {
  const forever = Number.POSITIVE_INFINITY;
  const left = Math.max(0, arrival.remaining() ?? forever);
  const length = Math.min(left, Math.max(LEAST_MS, functionTimeout ?? forever), lease ?? forever);
  return { deadline: arrival.isDeadlineTold ? Date.now() + left : forever, length };
}

interface Attempt {
  readonly claimed: Claim;
  readonly span: Span;
  /** Ms. */
  readonly remaining: () => number;
}

async function claimOrWait(settings: Settings, arrival: Arrival): Promise<Attempt> {
  const { id, identity, about, fingerprint, formerFingerprint, onConflict } = arrival;
  const { retention, clockSkew, onUnknown, storeWithin } = settings;
  const span = spanOf(settings, arrival);
  const { deadline, length } = span;
  if (length === Number.POSITIVE_INFINITY) {
    throw new IdempotencyError('CONFIG_INVALID', 'without a Lambda context the option `lease` is required');
  }
  const remaining = (): number => Math.min(deadline - Date.now(), length);
  const store = storeWithin(remaining, 'claim');
  const request = {
    id,
    identity,
    source: about.source,
    fingerprint,
    formerFingerprint,
    owner: randomUUID(),
    leaseUntil: (now: number): number => Math.min(now + length, deadline) + clockSkew,
    retention,
    onUnknown: typeof onUnknown === 'function' ? 'reconcile' : onUnknown,
  } as const;
  let claimed = await claim(store, request, Date.now);
  const reserve = arrival.leastAfterWait?.() ?? RESERVE_MS;
  const until = (deadline === Number.POSITIVE_INFINITY ? Date.now() + length : deadline) - reserve;
  if (claimed.kind === 'conflict' && mayWait(onConflict, claimed, until)) {
    if (arrival.mayDefer) throw new Deferred();
    if (isInside(id)) throw misuse('a run waits for its own key');
    const polling = storeWithin(remaining, 'poll');
    claimed = await polled(claimed, () => claim(polling, request, Date.now), until);
  }
  return { claimed, span, remaining };
}

function mayWait(onConflict: Arrival['onConflict'], { leaseUntil = 0 }: Conflict, until: number): boolean {
  return onConflict === 'wait' || (onConflict === 'wait-for-end' && leaseUntil < until);
}

/** Ms. */
const LONGEST_PAUSE = 5_000;

type Conflict = Extract<Claim, { kind: 'conflict' }>;

/**
 * Claims until there is no conflict; `until` in epoch ms. Less and less often, the more so while the store is down, so that waiters do
 * not starve the run that they wait for; but soon after its lease ends, as it may be lost.
 */
async function polled(conflict: Conflict, attempt: () => Promise<Claim>, until: number): Promise<Claim> {
  let last = conflict;
  for (let longest = 50; Date.now() < until; ) {
    const jitter = 0.5 + Math.random() / 2;
    await paused(Math.min(longest * jitter, until - Date.now(), untilFree(last) + RESERVE_MS * jitter));
    let growth = 1.3;
    try {
      const claimed = await attempt();
      if (claimed.kind !== 'conflict') return claimed;
      last = claimed;
    } catch (error) {
      if (!isIdempotencyError(error) || !error.retryable) throw error;
      growth = 3;
    }
    longest = Math.min(growth * longest, LONGEST_PAUSE);
  }
  return last;
}

/** Ms until the lease in the way ends. */
function untilFree({ leaseUntil = 0 }: Conflict): number {
  const ms = leaseUntil - Date.now();
  return ms > 0 ? ms : Number.POSITIVE_INFINITY;
}
