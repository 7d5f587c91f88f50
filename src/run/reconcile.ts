import type { IdempotencyRecord, Steps } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import type { Previous, PreviousStep, Reconcile, Verdict } from '../execution.ts';
import type { Settings } from '../options.ts';
import type { Opened } from '../values/outcome.ts';
import { isRerun, valueIn } from '../values/verdict.ts';
import type { Answer } from './answer.ts';
import type { ClaimedRun } from './claimed.ts';
import type { Ending, Run } from './run.ts';

interface Reconciler extends Pick<Settings, 'outcomes'> {
  readonly onUnknown: Reconcile;
  readonly store: Store;
  /** Ms. */
  readonly remaining: () => number;
}

/** Asks the user's `onUnknown` first, as the run follows one whose outcome is unknown; `seen`: what that has left. */
export async function reconciled(
  run: ClaimedRun,
  seen: IdempotencyRecord,
  reconciler: Reconciler,
): Promise<Run | Answer> {
  let ending: Ending | undefined;
  try {
    ending = endingBy(await reconciler.onUnknown(run.execution, await previousOf(seen, reconciler)));
  } catch (error) {
    ending = { kind: 'skipped', error };
  }
  if (!ending && !run.hasCommitted()) {
    await run.resume();
    return run;
  }
  const answer = await run.end(ending ?? { kind: 'found', answer: undefined });
  if (ending?.kind === 'skipped' && !answer.isFinal) throw ending.error;
  return answer;
}

/** Undefined: the handler may run. */
function endingBy(verdict: Verdict): Ending | undefined {
  return isRerun(verdict) ? undefined : { kind: 'found', answer: valueIn(verdict) };
}

async function previousOf(seen: IdempotencyRecord, { store, outcomes, remaining }: Reconciler): Promise<Previous> {
  const { id, attempt, claimedAt, leaseUntil, steps } = seen as IdempotencyRecord & {
    leaseUntil: number;
    steps: Steps;
  };
  const opened = Object.entries(steps).map(async ([name, outcome]) => {
    return [name, previousStep(await outcomes.load(store, outcome, { id, remaining }))] as const;
  });
  return { attempt, claimedAt, leaseUntil, steps: Object.fromEntries(await Promise.all(opened)) };
}

function previousStep(opened: Opened): PreviousStep {
  return 'unavailable' in opened ? { unavailable: true } : opened;
}
