import type { Landing } from '../core/decide.ts';
import { IdempotencyError } from '../core/errors.ts';
import { type About, type EndEvent, publish, type Why } from '../core/events.ts';
import { type Claim, complete, type Holder, release, surrender, type Takeover } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Settings } from '../options.ts';
import { type Answer, adopted } from './answer.ts';
import type { Arrival } from './arrival.ts';
import { type Commit, commitOf } from './commit.ts';
import { keepLease, type Lease, type Span } from './lease.ts';
import { answerOf, committedAnswer, type Ending, type Run, started } from './run.ts';
import { type StepRunner, stepsOf } from './steps.ts';

type Acquired = Extract<Claim, { kind: 'acquired' }>;

/** What the end of a run needs. */
interface RunParts {
  readonly settings: Settings;
  readonly about: About;
  readonly holder: Holder;
  readonly lease: Lease;
  readonly steps: Pick<StepRunner, 'close' | 'finished'>;
  readonly commit: Commit;
  readonly takeover?: Takeover | undefined;
  readonly tell: (end: EndEvent) => void;
}

/** The run of a claim. */
export function claimedRun(
  settings: Settings,
  arrival: Arrival,
  span: Span,
  { lease: claim, takeover }: Acquired,
): Run {
  const { retention, clockSkew, storeWithin, isTerminal, outcomes } = settings;
  const { key } = arrival;
  const { attempt } = claim;
  const about = { ...arrival.about, attempt };
  const tell = started(about, takeover?.from ?? 'new');
  const holderWithin = (ms: () => number): Holder => ({
    store: storeWithin(ms),
    lease: claim,
    retention,
    now: Date.now,
  });
  const lease = keepLease({
    holder: holderWithin,
    span,
    clockSkew,
    onExtended: (leaseUntil) => publish(about, { type: 'extended', leaseUntil }),
    onFailure: (error) => publish(about, { type: 'extend-failed', error }),
  });
  const { signal } = lease;
  const left = (): number => (span.deadline === Number.POSITIVE_INFINITY ? lease.left() : span.deadline - Date.now());
  const remaining = (): number => Math.max(0, left());
  const holder = holderWithin(remaining);
  const { step, keyFor, ...steps } = stepsOf({ holder, signal, remaining, isTerminal, outcomes });
  const onLanded = ({ kind }: Outcome): void => tell({ type: 'completed', by: 'commit', outcome: kind });
  const commit = commitOf({ holder, outcomes, onLanded });
  const parts = { settings, about, holder, lease, steps, commit, takeover, tell };
  return {
    execution: { key, attempt, signal, remaining, step, keyFor, commit: commit.commit },
    hasCommitted: () => commit.committed() !== undefined,
    end: (ending) => endRun(parts, ending).finally(lease.stop),
  };
}

async function endRun(run: RunParts, ending: Ending): Promise<Answer> {
  const { holder, lease, steps, commit } = run;
  if (ending.kind === 'timed-out') {
    lease.lose('the invocation is over');
    return unsure(run, ending, 'timeout');
  }
  steps.close();
  await commit.close();
  const committed = commit.committed();
  if (committed) return committedAnswer(run.about, ending, committed.value);
  const outcome = outcomeOf(run.settings, ending);
  const doubt = commit.doubt();
  if (doubt) {
    await steps.finished(); // under the lease: what they do must be on record before another run may go on
    const answer = unsure(run, ending, 'commit', doubt.error);
    if (!outcome || ending.kind === 'threw') return answer;
    lease.lose('the invocation is over');
    throw doubt.error;
  }
  if (outcome) {
    const by = ending.kind === 'found' ? 'reconcile' : 'complete';
    return lastWrite(run, ending, complete(holder, outcome), { type: 'completed', by, outcome: outcome.kind });
  }
  const error = 'error' in ending ? ending.error : undefined;
  if (!(await steps.finished())) return unsure(run, ending, 'step', error); // a step may have had its effect without being on record
  if (ending.kind === 'skipped' && run.takeover?.from === 'abandoned') {
    await surrender(holder).catch(() => {}); // the lease runs out
    return unsure(run, ending, 'reconcile', error);
  }
  return lastWrite(run, ending, release(holder), { type: 'released', error });
}

/** The outcome to record; undefined: there is none, and the key is released. */
function outcomeOf({ isTerminal, outcomes }: Settings, ending: Ending): Outcome | undefined {
  const { kind, answer } = ending;
  if (kind === 'threw') {
    if (!isTerminal(ending.error)) return undefined;
    return answer === undefined ? outcomes.ofError(ending.error) : outcomes.ofValue(answer);
  }
  const isOutcome = kind === 'found' || (kind === 'returned' && ending.isOutcome);
  return isOutcome ? outcomes.ofValue(answer) : undefined;
}

function unsure({ tell }: RunParts, ending: Ending, why: Why, error?: unknown): Answer {
  tell({ type: 'unsure', why, error });
  return answerOf(ending);
}

/** Waits for the last write of a run, tells what became of it, and answers. `done`: the event to tell if it landed. */
async function lastWrite(run: RunParts, ending: Ending, write: Promise<Landing>, done: EndEvent): Promise<Answer> {
  const { holder, settings, tell } = run;
  const { store, lease } = holder;
  const { id } = lease;
  const isCompletion = done.type === 'completed';
  let result: Landing;
  try {
    result = await write;
  } catch (error) {
    // The caller still gets its answer. Duplicates are refused until the lease runs out.
    const why = isCompletion ? 'completion' : 'release';
    process.emitWarning(`${why}-failed for ${id}: ${error}`, 'IdempotencyWarning');
    return unsure(run, ending, why, error);
  }
  if (result.kind === 'adopted' && ending.kind !== 'skipped') {
    return adopted(result.outcome, { id, store, outcomes: settings.outcomes }, tell);
  }
  tell(result.kind === 'done' ? done : { type: 'lost', code: 'LEASE_LOST' });
  if (result.kind !== 'lost' || !isCompletion) return answerOf(ending);
  const cause = ending.kind === 'threw' ? ending.error : undefined;
  throw new IdempotencyError('LEASE_LOST', 'another run took the key over', { id, cause });
}
