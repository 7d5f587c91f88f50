import type { Claim, Takeover } from '../core/claim.ts';
import type { Landing } from '../core/decide.ts';
import { IdempotencyError } from '../core/errors.ts';
import { type About, type EndEvent, publish, type Why } from '../core/events.ts';
import { complete, completing, type Holder, release, releaseForgotten, surrender } from '../core/protocol.ts';
import { type Claimed, type Outcome, ROOM_BYTES } from '../core/record.ts';
import type { Settings } from '../options.ts';
import { fitted } from '../values/fitted.ts';
import type { Kept } from '../values/outcome.ts';
import { type Answer, adopted, ownError } from './answer.ts';
import type { Arrival } from './arrival.ts';
import { type EffectsParts, executionOf } from './effects.ts';
import { floatingOf } from './floating.ts';
import { keepLease, type Lease, type Span } from './lease.ts';
import { answerOf, committedAnswer, type Ending, type Run, started } from './run.ts';

type Acquired = Extract<Claim, { kind: 'acquired' }>;

/** What the end of a run needs. */
interface RunParts extends EffectsParts {
  readonly settings: Settings;
  readonly arrival: Arrival;
  readonly about: About;
  readonly takeover: Takeover | undefined;
}

/** A run that may have `onUnknown` before its handler. */
export interface ClaimedRun extends Run {
  /** Resolves when the handler may begin: the steps that have begun are over, and their names may be used again. */
  readonly resume: () => Promise<void>;
}

/** The run of a claim. */
export function claimedRun(
  settings: Settings,
  arrival: Arrival,
  span: Span,
  { lease: claim, takeover }: Acquired,
): ClaimedRun {
  const { attempt } = claim;
  const about = { ...arrival.about, attempt };
  const tell = started(about, takeover?.from ?? 'new');
  const lease = keepLease({
    claim,
    holder: (left) => holderOf(settings, claim, left, 'poll'), // its own beat is the retry
    span,
    clockSkew: settings.clockSkew,
    onExtended: (leaseUntil) => publish(about, { type: 'extended', leaseUntil }),
    onFailure: (error) => publish(about, { type: 'extend-failed', error }),
  });
  const remaining = remainingOf(span, lease);
  const holder = holderOf(settings, claim, remaining, 'run');
  const floating = floatingOf(claim.id);
  const run: RunParts = { settings, arrival, about, holder, lease, floating, remaining, takeover, tell };
  return {
    execution: executionOf(run),
    hasCommitted: () => run.effects?.commit.committed() !== undefined,
    end: async (ending) => {
      try {
        return await endRun(run, ending);
      } finally {
        if (floating.isIdle()) lease.stop();
        else floating.settled().then(lease.stop); // a step that goes on keeps the key
      }
    },
    resume: async () => {
      if (!run.effects) return;
      const { steps, forgetting } = run.effects;
      await steps.finished();
      steps.resume();
      forgetting.reset();
    },
  };
}

function holderOf(
  { storeWithin, retention }: Settings,
  lease: Claimed,
  remaining: () => number,
  phase: 'poll' | 'run',
): Holder {
  return { store: storeWithin(remaining, phase), lease, retention, now: Date.now };
}

/** Ms until the deadline; without one, until the lease ends. */
function remainingOf({ deadline }: Span, lease: Lease): () => number {
  const left = deadline === Number.POSITIVE_INFINITY ? lease.left : () => deadline - Date.now();
  return () => Math.max(0, left());
}

async function endRun(run: RunParts, ending: Ending): Promise<Answer> {
  const { holder, lease, floating, takeover, effects } = run;
  floating.close();
  const closing = effects?.commit.ended();
  if (ending.kind === 'timed-out') {
    lease.lose('the invocation is over');
    return unsure(run, ending, 'timeout');
  }
  const keeping = effects?.commit.committed() ? undefined : keptOf(run, ending);
  const kept = keeping instanceof Promise ? await keeping : keeping;
  if (closing) await closing;
  // Under the lease: what they do must be on record before another run may go on.
  const areStepsSure = !effects || floating.isIdle() || (await effects.steps.finished());
  const committed = effects?.commit.committed();
  if (committed) return committedAnswer(run.about, ending, committed.value);
  const doubt = effects?.commit.doubt();
  if (doubt) {
    const answer = unsure(run, ending, 'commit', doubt.error);
    const saysThatItIsDone = kept && ending.kind !== 'threw';
    if (!saysThatItIsDone) return answer;
    lease.lose('the invocation is over');
    throw doubt.error;
  }
  if (kept) {
    const { outcome, value } = kept;
    const by = ending.kind === 'found' ? 'reconcile' : 'complete';
    const done: EndEvent = { type: 'completed', by, outcome: outcome.kind };
    return await lastWrite(run, { ...ending, answer: value }, completed(run, outcome), done);
  }
  const error = 'error' in ending ? ending.error : undefined;
  if (!areStepsSure) return unsure(run, ending, 'step', error); // a step may have had its effect without being on record
  const isUndecided = ending.kind === 'skipped' || ending.kind === 'found';
  if (isUndecided && takeover?.from === 'abandoned') {
    await surrender(holder).catch(() => {}); // the lease runs out
    return unsure(run, ending, 'reconcile', error);
  }
  return await lastWrite(run, ending, freed(run), { type: 'released', error });
}

function isForgotten({ effects }: RunParts): boolean {
  return effects?.forgetting.isForgotten() ?? false;
}

/** What is to be recorded; undefined: nothing, and the key is released. */
function keptOf(run: RunParts, ending: Ending): Kept | Promise<Kept> | undefined {
  const { settings, holder, remaining } = run;
  const { isTerminal, outcomes } = settings;
  const { kind, answer } = ending;
  const context = { id: holder.lease.id, remaining };
  if (isForgotten(run)) return undefined;
  if (kind === 'threw') {
    if (!isTerminal(ending.error)) return undefined;
    return answer === undefined
      ? outcomes.ofError(ending.error, context)
      : outcomes.ofAnswer(answer, ending.error, context);
  }
  const isOutcome = kind === 'found' || (kind === 'returned' && ending.isOutcome);
  return isOutcome ? outcomes.ofValue(answer, context) : undefined;
}

function completed({ holder }: RunParts, outcome: Outcome): Promise<Landing> {
  const fit = fitted(holder.store, outcome, { record: completing(holder) }, ROOM_BYTES);
  return fit instanceof Promise ? fit.then((one) => complete(holder, one)) : complete(holder, fit);
}

/** Gives the key back, for any payload if nothing was done under it. */
function freed(run: RunParts): Promise<Landing> {
  const { holder, takeover } = run;
  const isUntouched = takeover?.from !== 'abandoned' && Object.keys(holder.lease.steps).length === 0;
  return isForgotten(run) && isUntouched ? releaseForgotten(holder) : release(holder);
}

function unsure({ tell }: RunParts, ending: Ending, why: Why, error?: unknown): Answer {
  tell({ type: 'unsure', why, error });
  return answerOf(ending);
}

/** Waits for the last write of a run, tells what became of it, and answers. `done`: the event to tell if it landed. */
async function lastWrite(run: RunParts, ending: Ending, write: Promise<Landing>, done: EndEvent): Promise<Answer> {
  const { holder, settings, arrival, remaining, tell } = run;
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
  if (result.kind === 'adopted' && ending.kind !== 'skipped' && !isForgotten(run)) {
    const { outcomes } = settings;
    return adopted(result, { id, remaining, store, outcomes, arrival }, tell);
  }
  tell(result.kind === 'done' ? done : { type: 'lost', code: 'LEASE_LOST' });
  if (result.kind === 'done' && isCompletion && ending.kind === 'threw' && ending.answer === undefined)
    return ownError(ending.error);
  if (result.kind !== 'lost' || !isCompletion) return answerOf(ending);
  const cause = ending.kind === 'threw' ? ending.error : undefined;
  throw new IdempotencyError('LEASE_LOST', 'another run took the key over', { id, cause });
}
