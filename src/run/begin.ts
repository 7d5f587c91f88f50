import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { IdempotencyError } from '../core/errors.ts';
import { publish } from '../core/events.ts';
import { type Claim, claim } from '../core/protocol.ts';
import type { Store } from '../core/store.ts';
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

/** Begin, run, end: what every door does that calls the handler itself. */
export async function once(
  settings: Settings,
  arrival: Arrival,
  run: (execution: Execution) => unknown,
): Promise<Answer> {
  const begun = await begin(settings, arrival);
  if (!isRun(begun)) return begun;
  let answer: unknown;
  try {
    answer = await run(begun.execution);
  } catch (error) {
    return begun.end({ kind: 'threw', error });
  }
  return begun.end({ kind: 'returned', answer, isOutcome: arrival.isOutcome(answer) });
}

/** Claims the key, and gives a run, or the answer to a duplicate. Throws refusals. */
export async function begin(settings: Settings, arrival: Arrival): Promise<Run | Answer> {
  const { about, id, key } = arrival;
  if (key === undefined) return withoutKey(settings, arrival);
  if (settings.mode === 'atomic') return atomicRun(settings, arrival);
  const { claimed, span, store } = await claimOrWait(settings, arrival).catch((error) => {
    throw refused(about, error);
  });
  const { outcomes, onUnknown } = settings;
  switch (claimed.kind) {
    case 'acquired':
      return reconciled(claimedRun(settings, arrival, span, claimed), claimed.takeover, { store, outcomes, onUnknown });
    case 'replay':
      return recorded(claimed.outcome, { id, store, outcomes }, (refusal) => {
        const whole = { ...about, attempt: claimed.attempt };
        if (refusal) refused(whole, refusal);
        else publish(whole, { type: 'replayed' });
      });
    default:
      throw refused(about, claimRefusal(claimed, id));
  }
}

function withoutKey({ onMissingKey }: Settings, arrival: Arrival): Run {
  if (onMissingKey === 'run' || arrival.isNatural) return unprotectedRun(arrival);
  const message = 'no idempotency key: send an Idempotency-Key header, or give the option `key`';
  throw refused(arrival.about, new IdempotencyError('KEY_MISSING', message));
}

function spanOf({ functionTimeout, lease }: Settings, arrival: Arrival): Span {
  const forever = Number.POSITIVE_INFINITY;
  const limit = Math.max(0, Math.min(arrival.remaining() ?? forever, functionTimeout ?? forever));
  return { deadline: Date.now() + limit, length: Math.min(limit, lease ?? forever) };
}

/** Kept by a waiting duplicate for its own answer. */
const RESERVE_MS = 500;

interface Attempt {
  readonly claimed: Claim;
  readonly span: Span;
  readonly store: Store;
}

async function claimOrWait(settings: Settings, arrival: Arrival): Promise<Attempt> {
  const { id, fingerprint } = arrival;
  const { retention, clockSkew, onUnknown, onConflict, storeWithin } = settings;
  const span = spanOf(settings, arrival);
  const { deadline, length } = span;
  if (length === Number.POSITIVE_INFINITY) {
    throw new IdempotencyError('CONFIG_INVALID', 'without a Lambda context the option `lease` is required');
  }
  const store = storeWithin(() => Math.min(deadline - Date.now(), length));
  const request = {
    id,
    fingerprint,
    owner: randomUUID(),
    leaseUntil: (now: number): number => Math.min(now + length, deadline) + clockSkew,
    retention,
    onUnknown: typeof onUnknown === 'function' ? 'reconcile' : onUnknown,
  } as const;
  for (let delay = 50; ; delay = Math.min(2 * delay, 1_000)) {
    const claimed = await claim(store, request, Date.now);
    const pause = delay * (0.5 + Math.random() / 2);
    const isDecided = claimed.kind !== 'conflict' || onConflict === 'reject';
    if (isDecided || Date.now() + pause > deadline - RESERVE_MS) return { claimed, span, store };
    await sleep(pause);
  }
}
