import { isDeepStrictEqual } from 'node:util';
import type { Ended } from '../core/decide.ts';
import { IdempotencyError } from '../core/errors.ts';
import { type End, publish } from '../core/events.ts';
import { type Claim, complete, type Holder, release, surrender } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Settings } from '../options.ts';
import { type Answer, adopted, own } from './answer.ts';
import type { Arrival } from './arrival.ts';
import { type Commit, commitOf } from './commit.ts';
import { keepLease, type Lease, type Span } from './lease.ts';
import { answerOf, type Ending, type Run, started } from './run.ts';
import { type Steps, stepsOf } from './steps.ts';

export type Acquired = Extract<Claim, { kind: 'acquired' }>;

/** What a run has at hand to end with. */
interface Parts extends Pick<Settings, 'isTerminal' | 'outcomes'>, Pick<Arrival, 'about'> {
  readonly holder: Holder;
  readonly lease: Lease;
  readonly steps: Steps;
  readonly commit: Commit;
  /** It followed a run whose outcome is unknown. */
  readonly hasTakenUnknown: boolean;
  readonly tell: (end: End) => void;
}

/** The run of a claim. */
export function claimedRun(settings: Settings, arrival: Arrival, span: Span, { lease: held, takeover }: Acquired): Run {
  const { retention, clockSkew, storeWithin, isTerminal, outcomes } = settings;
  const { about, id, key } = arrival;
  const { attempt } = held;
  const tell = started(arrival, attempt, takeover?.from ?? 'new');
  const holderWithin = (ms: () => number): Holder => ({
    store: storeWithin(ms),
    lease: held,
    retention,
    now: Date.now,
  });
  const lease = keepLease({
    holder: holderWithin,
    span,
    clockSkew,
    onExtended: (leaseUntil) => publish(about, { type: 'extended', id, attempt, leaseUntil }),
    onFailure: (error) => publish(about, { type: 'extend-failed', id, attempt, error }),
  });
  const { signal } = lease;
  const left = (): number => (span.deadline === Number.POSITIVE_INFINITY ? lease.left() : span.deadline - Date.now());
  const remaining = (): number => Math.max(0, left());
  const holder = holderWithin(remaining);
  const steps = stepsOf({ holder, signal, remaining, isTerminal, outcomes });
  const onLanded = ({ kind }: Outcome): void => tell({ type: 'completed', by: 'commit', outcome: kind });
  const commit = commitOf({ holder, outcomes, onLanded });
  const hasTakenUnknown = takeover?.from === 'abandoned';
  const parts = { isTerminal, outcomes, about, holder, lease, steps, commit, hasTakenUnknown, tell };
  return {
    execution: { key, attempt, signal, remaining, step: steps.step, keyFor: steps.keyFor, commit: commit.commit },
    hasCommitted: () => commit.committed() !== undefined,
    end: (ending) => ended(parts, ending).finally(lease.stop),
  };
}

async function ended(run: Parts, ending: Ending): Promise<Answer> {
  const { holder, lease, steps, commit, tell } = run;
  if (ending.kind === 'timed-out') {
    lease.lose('the invocation is over');
    tell({ type: 'unsure', why: 'timeout' });
    return answerOf(ending);
  }
  steps.close();
  await commit.close();
  const committed = commit.committed();
  if (committed) return committedAnswer(run, ending, committed.value);
  const outcome = outcomeOf(run, ending);
  const doubt = commit.doubt();
  if (doubt) {
    tell({ type: 'unsure', why: 'commit', error: doubt.error });
    if (outcome && ending.kind !== 'threw') throw doubt.error;
    return answerOf(ending);
  }
  if (outcome) {
    const by = ending.kind === 'found' ? 'reconcile' : 'complete';
    return lastWrite(run, ending, complete(holder, outcome), { type: 'completed', by, outcome: outcome.kind });
  }
  const error = 'error' in ending ? { error: ending.error } : {};
  if (!(await steps.finished())) {
    tell({ type: 'unsure', why: 'step', ...error }); // what has had its effect may not be on record
    return answerOf(ending);
  }
  if (ending.kind === 'skipped' && run.hasTakenUnknown) {
    await surrender(holder).catch(() => {}); // the lease runs out
    tell({ type: 'unsure', why: 'reconcile', ...error });
    return answerOf(ending);
  }
  return lastWrite(run, ending, release(holder), { type: 'released', ...error });
}

/** What is to be recorded; undefined: nothing, the key is given back. */
function outcomeOf({ isTerminal, outcomes }: Parts, ending: Ending): Outcome | undefined {
  switch (ending.kind) {
    case 'returned':
      return ending.isOutcome ? outcomes.ofValue(ending.answer) : undefined;
    case 'found':
      return outcomes.ofValue(ending.answer);
    case 'threw':
      if (!isTerminal(ending.error)) return undefined;
      return ending.answer === undefined ? outcomes.ofError(ending.error) : outcomes.ofValue(ending.answer);
    default:
      return undefined;
  }
}

/** The answer of a run that committed, which is final. */
function committedAnswer({ about, holder }: Parts, { kind, answer }: Ending, value: unknown): Answer {
  const { id, attempt } = holder.lease;
  const isOther = kind === 'threw' || (answer !== undefined && !isDeepStrictEqual(answer, value));
  if (isOther) publish(about, { type: 'overruled', id, attempt });
  return own(value, true);
}

/** Waits for the last write of a run, tells what became of it, and answers; `done` is told if it has landed. */
async function lastWrite(run: Parts, ending: Ending, write: Promise<Ended>, done: End): Promise<Answer> {
  const { holder, outcomes, tell } = run;
  const { id } = holder.lease;
  let result: Ended;
  try {
    result = await write;
  } catch (error) {
    // The caller gets its answer all the same; duplicates are refused until the lease runs out.
    const why = done.type === 'completed' ? 'completion' : 'release';
    process.emitWarning(`${why}-failed for ${id}: ${error}`, 'IdempotencyWarning');
    tell({ type: 'unsure', why, error });
    return answerOf(ending);
  }
  if (result.kind === 'adopted' && ending.kind !== 'skipped') {
    return adopted(result.outcome, { id, store: holder.store, outcomes }, tell);
  }
  tell(result.kind === 'done' ? done : { type: 'lost', code: 'LEASE_LOST' });
  if (result.kind === 'lost' && done.type === 'completed') {
    const cause = ending.kind === 'threw' ? ending.error : undefined;
    throw new IdempotencyError('LEASE_LOST', 'another run took the key over', { id, cause });
  }
  return answerOf(ending);
}
