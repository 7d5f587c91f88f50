import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival } from './arrival.ts';
import { atomic } from './atomic.ts';
import { unprotectedCommit } from './commit.ts';
import { IdempotencyError } from '../core/errors.ts';
import { publish } from '../core/events.ts';
import { patient } from '../core/patience.ts';
import { type Claim, claim } from '../core/protocol.ts';
import type { Execution } from '../execution.ts';
import type { Settings } from '../options.ts';
import { type Answer, answerTo, held, instead, isRun, type Run, type Terms } from './claimed.ts';
import { unprotectedSteps } from './steps.ts';
import { reconciled } from './reconcile.ts';

/** Claims the key: a run to go through with, or the answer to a duplicate. Throws refusals, and errors on record. */
export async function begin(settings: Settings, arrival: Arrival): Promise<Run | Answer> {
  if (arrival.key === undefined) return unprotected(settings, arrival);
  if (settings.mode === 'atomic') return atomic(settings, arrival, arrival.key);
  const started = Date.now();
  const { functionTimeout = Number.POSITIVE_INFINITY, lease = Number.POSITIVE_INFINITY } = settings;
  const limit = Math.max(0, Math.min(arrival.remaining() ?? Number.POSITIVE_INFINITY, functionTimeout));
  const terms = { deadline: started + limit, length: Math.min(limit, lease) };
  if (terms.length === Number.POSITIVE_INFINITY) {
    throw new IdempotencyError('CONFIG_INVALID', 'without a Lambda context the option `lease` is required');
  }
  const store = patient(settings.store, () => Math.min(terms.deadline - Date.now(), terms.length));
  const claimed = await claimOrWait({ ...settings, store }, arrival, terms);
  if (claimed.kind !== 'acquired') return answerTo(claimed, arrival, { ...settings, store });
  const { scope, id } = arrival;
  publish(claimed.takeover ? 'takeover' : 'acquired', { scope, id, attempt: claimed.lease.attempt });
  return reconciled({ ...settings, store }, held(settings, arrival, terms, claimed), claimed.takeover);
}

/** Begin, run, settle: all there is to a way in that calls the function itself. */
export async function once(
  settings: Settings,
  arrival: Arrival,
  run: (execution: Execution) => unknown,
): Promise<Answer> {
  const begun = await begin(settings, arrival);
  if (!isRun(begun)) return begun;
  let value: unknown;
  try {
    value = await run(begun.execution);
  } catch (error) {
    return begun.threw(error);
  }
  return begun.returned(value, begun.records(value));
}

/** What a waiter keeps to answer with before its own deadline. */
const RESERVE_MS = 500;

async function claimOrWait(settings: Settings, arrival: Arrival, { deadline, length }: Terms): Promise<Claim> {
  const { id, fingerprint } = arrival;
  const { retention, clockSkew, store } = settings;
  const onUnknown = typeof settings.onUnknown === 'function' ? 'reconcile' : settings.onUnknown;
  const owner = randomUUID();
  const leaseUntil = (now: number): number => Math.min(now + length, deadline) + clockSkew;
  for (let delay = 50; ; delay = Math.min(2 * delay, 1_000)) {
    const claimed = await claim(store, { id, fingerprint, owner, leaseUntil, retention, onUnknown }, Date.now);
    const pause = delay * (0.5 + Math.random() / 2);
    if (claimed.kind !== 'conflict' || settings.onConflict === 'reject') return claimed;
    if (Date.now() + pause > deadline - RESERVE_MS) return claimed;
    await sleep(pause);
  }
}

function unprotected({ onMissingKey }: Settings, arrival: Arrival): Run {
  if (onMissingKey === 'reject' && !arrival.isNatural) {
    throw new IdempotencyError(
      'KEY_MISSING',
      'no idempotency key: send an Idempotency-Key header, or give the option `key`',
    );
  }
  const remaining = (): number => arrival.remaining() ?? Number.POSITIVE_INFINITY;
  const { signal } = new AbortController();
  return {
    execution: {
      key: undefined,
      attempt: 1,
      signal,
      remaining,
      ...unprotectedSteps(signal),
      commit: unprotectedCommit,
    },
    completed: async (value) => ({ value, replayed: false }),
    hasCommitted: () => false,
    records: () => true,
    returned: async (final) => ({ value: final, replayed: false }),
    threw: async (error, final) => instead(error, final),
    release: async () => {},
    abandon: () => {},
  };
}
