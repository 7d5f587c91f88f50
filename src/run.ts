import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrival } from './arrival.ts';
import { IdempotencyError } from './core/errors.ts';
import { type IdempotencyEventType, publish } from './core/events.ts';
import { errorOutcome, openOutcome, valueOutcome } from './core/outcome.ts';
import { patient } from './core/patience.ts';
import { type Claim, claim, complete, release, type Settled, surrender } from './core/protocol.ts';
import type { Outcome } from './core/record.ts';
import type { Execution } from './execution.ts';
import { holdLease } from './lease.ts';
import type { Settings } from './options.ts';
import { stepsOf, unprotectedSteps } from './steps.ts';
import { reconciled } from './unknown.ts';

/** What a caller gets. */
export interface Answer {
  readonly value: unknown;
  /** It comes from the record, not from this run. */
  readonly replayed: boolean;
}

/** A run between its claim and its outcome. One of the last five ends it. */
export interface Run {
  readonly execution: Execution;
  /** Records `value` and answers with it, or with the outcome of who took over. Throws `LEASE_LOST` where there is none. */
  completed(value: unknown): Promise<Answer>;
  /** Whether a value that the handler returned is an outcome. */
  records(value: unknown): boolean;
  /** The handler returned, and `final` is what is made of it: recorded and answered, or only answered. */
  returned(final: unknown, isRecorded: boolean): Promise<Answer>;
  /** The handler threw. Throws the same again, unless a winner's outcome is adopted or `final` stands in its place. */
  threw(error: unknown, final?: unknown): Promise<Answer>;
  /** The handler was not run: an unknown outcome stays unknown, any other key is free. */
  release(): Promise<void>;
  /** Nobody knows what happened: neither recorded nor released, the lease runs out. */
  abandon(): void;
}

/** Claims the key: a run to go through with, or the answer to a duplicate. Throws refusals, and errors on record. */
export async function begin(settings: Settings, arrival: Arrival): Promise<Run | Answer> {
  if (arrival.key === undefined) return unprotected(settings, arrival);
  const started = Date.now();
  const { functionTimeout = Number.POSITIVE_INFINITY, lease = Number.POSITIVE_INFINITY } = settings;
  const limit = Math.max(0, Math.min(arrival.remaining() ?? Number.POSITIVE_INFINITY, functionTimeout));
  const terms = { deadline: started + limit, length: Math.min(limit, lease) };
  if (terms.length === Number.POSITIVE_INFINITY) {
    throw new IdempotencyError('CONFIG_INVALID', 'without a Lambda context the option `lease` is required');
  }
  const claimed = await claimOrWait(settings, arrival, terms);
  const { scope, id } = arrival;
  switch (claimed.kind) {
    case 'acquired':
      publish(claimed.taken ? 'takeover' : 'acquired', { scope, id, attempt: claimed.lease.attempt });
      return reconciled(settings.onUnknown, held(settings, arrival, terms, claimed), claimed.taken);
    case 'replay':
      publish('replayed', { scope, id, attempt: claimed.attempt });
      return replay(claimed.outcome, id);
    case 'unknown':
      publish('outcome-unknown', { scope, id });
      throw new IdempotencyError('OUTCOME_UNKNOWN', 'whether the effect of a lost run happened is not known', { id });
    case 'conflict':
      publish('conflict', { scope, id });
      throw new IdempotencyError('CONFLICT', 'a request with this key is in flight', { id });
    case 'mismatch':
      publish('mismatch', { scope, id });
      throw new IdempotencyError('MISMATCH', 'this key was used with another payload', { id });
  }
}

export function isRun(begun: Run | Answer): begun is Run {
  return 'execution' in begun;
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
    execution: { key: undefined, attempt: 1, signal, remaining, ...unprotectedSteps(signal) },
    completed: async (value) => ({ value, replayed: false }),
    records: () => true,
    returned: async (final) => ({ value: final, replayed: false }),
    threw: async (error, final) => instead(error, final),
    release: async () => {},
    abandon: () => {},
  };
}

interface Terms {
  /** Epoch ms past which the run cannot live. */
  readonly deadline: number;
  /** Ms a claim holds. */
  readonly length: number;
}

/** What a waiter keeps to answer with before its own deadline. */
const RESERVE_MS = 500;

async function claimOrWait(settings: Settings, arrival: Arrival, { deadline, length }: Terms): Promise<Claim> {
  const { id, fingerprint } = arrival;
  const { retention, clockSkew } = settings;
  const onUnknown = typeof settings.onUnknown === 'function' ? 'reconcile' : settings.onUnknown;
  const store = patient(settings.store, () => Math.min(deadline - Date.now(), length));
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

type Acquired = Extract<Claim, { kind: 'acquired' }>;

function held(settings: Settings, arrival: Arrival, { deadline, length }: Terms, { lease, taken }: Acquired): Run {
  const { retention, clockSkew } = settings;
  const { scope, id, key, records } = arrival;
  const { attempt } = lease;
  const about = { scope, id, attempt };
  const hold = holdLease(settings.store, lease, {
    deadline,
    length,
    clockSkew,
    retention,
    onFailure: (error) => publish('extend-failed', about, error),
  });
  const endsAt = (): number => (deadline === Number.POSITIVE_INFINITY ? hold.until() : deadline);
  const remaining = (): number => Math.max(0, endsAt() - Date.now());
  const store = patient(settings.store, remaining);
  const isTerminal = (error: unknown): boolean => judge(settings.isTerminal, error, false);
  const { step, keyFor, close, settled } = stepsOf(store, lease, hold.signal, isTerminal);

  const settle = async (
    write: Promise<Settled>,
    done: IdempotencyEventType,
    failed: IdempotencyEventType,
  ): Promise<Settled> => {
    try {
      const result = await write;
      publish(result.kind === 'done' ? done : result.kind === 'adopted' ? 'adopted' : 'lease-lost', about);
      return result;
    } catch (error) {
      // The caller gets its answer all the same; duplicates are refused until the lease runs out.
      publish(failed, about, error);
      process.emitWarning(`${failed} for ${id}: ${error}`, 'IdempotencyWarning');
      return { kind: 'done' };
    }
  };
  const record = (outcome: Outcome): Promise<Settled> =>
    settle(complete(store, lease, outcome, retention, Date.now()), 'completed', 'completion-failed');
  const giveUp = async (): Promise<Settled> => {
    if (await settled()) return settle(release(store, lease, retention, Date.now()), 'released', 'release-failed');
    publish('outcome-unknown', about); // a step may have had its effect, and is not on record
    return { kind: 'done' };
  };

  return {
    execution: { key, attempt, signal: hold.signal, remaining, step, keyFor },

    async completed(value) {
      close();
      const result = await record(valueOutcome(value)).finally(hold.stop);
      if (result.kind === 'adopted') return replay(result.outcome, id);
      if (result.kind === 'lost') throw new IdempotencyError('LEASE_LOST', 'another run took the key over', { id });
      return { value, replayed: false };
    },

    records: (value) => judge(records, value, true),

    async returned(final, isRecorded) {
      if (isRecorded) return this.completed(final);
      close();
      const result = await giveUp().finally(hold.stop);
      return result.kind === 'adopted' ? replay(result.outcome, id) : { value: final, replayed: false };
    },

    async threw(error, final) {
      const outcome = final === undefined ? errorOutcome(error) : valueOutcome(final);
      close();
      const result = await (isTerminal(error) ? record(outcome) : giveUp()).finally(hold.stop);
      return result.kind === 'adopted' ? replay(result.outcome, id) : instead(error, final);
    },

    async release() {
      close();
      if (taken?.from !== 'abandoned') await giveUp();
      else await surrender(store, lease, retention, Date.now()).catch(() => {}); // the lease runs out
      hold.stop();
    },

    abandon() {
      hold.lose('the invocation is over');
      publish('outcome-unknown', about);
    },
  };
}

function replay(outcome: Outcome, id: string): Answer {
  const unavailable = (why: string): Error =>
    new IdempotencyError('RESULT_UNAVAILABLE', `done, but the value was not kept: ${why}`, { id });
  return { value: openOutcome(outcome, unavailable), replayed: true };
}

function instead(error: unknown, final: unknown): Answer {
  if (final === undefined) throw error;
  return { value: final, replayed: false };
}

// A judgement of the user's that fails must not hide what happened.
function judge(judgement: (value: unknown) => boolean, value: unknown, otherwise: boolean): boolean {
  try {
    return judgement(value);
  } catch {
    return otherwise;
  }
}
