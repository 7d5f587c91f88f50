import type { Arrival } from './arrival.ts';
import { commitOf } from './commit.ts';
import type { Ended } from '../core/decide.ts';
import { IdempotencyError } from '../core/errors.ts';
import { type IdempotencyEventType, publish } from '../core/events.ts';
import { patient } from '../core/patience.ts';
import { type Claim, complete, type Holder, release, surrender } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import type { Execution } from '../execution.ts';
import { holdLease } from './lease.ts';
import type { Settings } from '../options.ts';
import { loaded, type Outcomes } from '../values/outcome.ts';
import { stepsOf } from './steps.ts';

/** What a caller gets. */
export interface Answer {
  readonly value: unknown;
  /** It comes from the record, not from this run. */
  readonly replayed: boolean;
  /** It was committed: nothing may be made of it any more. */
  readonly isFinal?: boolean;
}

/** A run between its claim and its outcome. One of the last five ends it. */
export interface Run {
  readonly execution: Execution;
  /** Records `value` and answers with it, or with the outcome of who took over. Throws `LEASE_LOST` where there is none. */
  completed(value: unknown): Promise<Answer>;
  /** Whether its answer is final: `completed` gives it. */
  hasCommitted(): boolean;
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

export function isRun(begun: Run | Answer): begun is Run {
  return 'execution' in begun;
}

/** How long a run may be. */
export interface Terms {
  /** Epoch ms past which the run cannot live. */
  readonly deadline: number;
  /** Ms a claim holds. */
  readonly length: number;
}

export type Acquired = Extract<Claim, { kind: 'acquired' }>;

/** The run of a claim. */
export function held(
  settings: Settings,
  arrival: Arrival,
  { deadline, length }: Terms,
  { lease, takeover }: Acquired,
): Run {
  const { retention, clockSkew, outcomes } = settings;
  const { scope, id, key, records } = arrival;
  const { attempt } = lease;
  const about = { scope, id, attempt };
  const hold = holdLease(
    { store: settings.store, lease, retention, now: Date.now },
    {
      deadline,
      length,
      clockSkew,
      onFailure: (error) => publish('extend-failed', about, error),
    },
  );
  const endsAt = (): number => (deadline === Number.POSITIVE_INFINITY ? hold.until() : deadline);
  const remaining = (): number => Math.max(0, endsAt() - Date.now());
  const store = patient(settings.store, remaining);
  const isTerminal = (error: unknown): boolean => judge(settings.isTerminal, error, false);
  const holder: Holder = { store, lease, retention, now: Date.now };
  const steps = stepsOf(holder, hold.signal, remaining, isTerminal, outcomes);
  const commits = commitOf(holder, outcomes);

  const settle = async (
    write: Promise<Ended>,
    done: IdempotencyEventType,
    failed: IdempotencyEventType,
  ): Promise<Ended> => {
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
  /** What the run must answer instead, because another took over and ended. */
  const adopted = async (result: Ended): Promise<Answer | undefined> =>
    result.kind === 'adopted' ? replay(store, outcomes, result.outcome, id) : undefined;
  const recorded = async (outcome: Outcome, cause?: unknown): Promise<Answer | undefined> => {
    const write = complete(holder, outcome);
    const result = await settle(write, 'completed', 'completion-failed').finally(hold.stop);
    if (result.kind === 'lost')
      throw new IdempotencyError('LEASE_LOST', 'another run took the key over', { id, cause });
    return adopted(result);
  };
  const giveUp = async (): Promise<Ended> => {
    if ((await steps.settled()) && !commits.doubt()) return settle(release(holder), 'released', 'release-failed');
    publish('outcome-unknown', about); // what has had its effect may not be on record
    return { kind: 'done' };
  };

  const close = (): Promise<void> => {
    steps.close();
    return commits.close();
  };

  /** The answer of a run that committed, which is final; `overruled`: it would have been another. */
  const finalAnswer = (overruled: boolean): Answer | undefined => {
    const committed = commits.committed();
    if (!committed) return undefined;
    hold.stop();
    publish('completed', about);
    if (overruled) publish('overruled', about);
    return { value: committed.value, replayed: false, isFinal: true };
  };

  return {
    execution: {
      key,
      attempt,
      signal: hold.signal,
      remaining,
      step: steps.step,
      keyFor: steps.keyFor,
      commit: commits.commit,
    },

    async completed(value) {
      await close();
      const final = finalAnswer(value !== undefined);
      if (final) return final;
      const doubt = commits.doubt();
      if (doubt) {
        this.abandon();
        throw doubt.error;
      }
      return (await recorded(outcomes.ofValue(value))) ?? { value, replayed: false };
    },

    hasCommitted: () => commits.committed() !== undefined,

    records: (value) => judge(records, value, true),

    async returned(final, isRecorded) {
      await close();
      if (isRecorded || commits.committed()) return this.completed(final);
      const result = await giveUp().finally(hold.stop);
      return (await adopted(result)) ?? { value: final, replayed: false };
    },

    async threw(error, final) {
      await close();
      const answer = finalAnswer(true);
      if (answer) return answer;
      if (isTerminal(error) && !commits.doubt()) {
        const outcome = final === undefined ? outcomes.ofError(error) : outcomes.ofValue(final);
        return (await recorded(outcome, error)) ?? instead(error, final);
      }
      const result = await giveUp().finally(hold.stop);
      return (await adopted(result)) ?? instead(error, final);
    },

    async release() {
      await close();
      if (takeover?.from !== 'abandoned') await giveUp();
      else if ((await steps.settled()) && !commits.doubt()) {
        await surrender(holder).catch(() => {}); // the lease runs out
      }
      hold.stop();
    },

    abandon() {
      hold.lose('the invocation is over');
      publish('outcome-unknown', about);
    },
  };
}

/** What a duplicate gets: the outcome on record, or a refusal. */
export async function answerTo(
  claimed: Exclude<Claim, Acquired>,
  { scope, id }: Arrival,
  { store, outcomes }: Pick<Settings, 'store' | 'outcomes'>,
): Promise<Answer> {
  if (claimed.kind === 'replay') {
    publish('replayed', { scope, id, attempt: claimed.attempt });
    return replay(store, outcomes, claimed.outcome, id);
  }
  const { code, event, message } = REFUSALS[claimed.kind];
  publish(event, { scope, id });
  throw new IdempotencyError(code, message, { id });
}

const REFUSALS = {
  conflict: { code: 'CONFLICT', event: 'conflict', message: 'a request with this key is in flight' },
  mismatch: { code: 'MISMATCH', event: 'mismatch', message: 'this key was used with another payload' },
  unknown: {
    code: 'OUTCOME_UNKNOWN',
    event: 'outcome-unknown',
    message: 'whether the effect of a lost run happened is not known',
  },
} as const;

async function replay(store: Store, outcomes: Outcomes, outcome: Outcome, id: string): Promise<Answer> {
  const unavailable = (why: string): Error =>
    new IdempotencyError('RESULT_UNAVAILABLE', `done, but the value was not kept: ${why}`, { id });
  return { value: outcomes.open(await loaded(store, outcome), unavailable), replayed: true };
}

export function instead(error: unknown, final: unknown): Answer {
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
