import { type About, type EndEvent, isHeard, publish, type StartedFrom } from '../core/events.ts';
import type { Execution } from '../execution.ts';
import { type Answer, own, unrecorded } from './answer.ts';

/** A run between its claim and its outcome. */
export interface Run {
  readonly execution: Execution;
  /** Whether a commit has decided its answer. */
  readonly hasCommitted: () => boolean;
  /**
   * Ends the run and gives the answer to its caller: the committed value, the outcome of the run that took it over, or its own.
   * Throws the handler's error if there is no other answer, and `LEASE_LOST` if it was taken over and has no outcome to adopt.
   */
  readonly end: (ending: Ending) => Promise<Answer>;
}

/** How a run ended, and what its caller would be answered. */
export type Ending =
  /** The handler returned. A value that is no outcome releases the key. */
  | { readonly kind: 'returned'; readonly answer: unknown; readonly isOutcome: boolean }
  /** The handler threw. `answer`: the response that other middlewares made of the error. */
  | { readonly kind: 'threw'; readonly error: unknown; readonly answer?: unknown }
  /** `onUnknown` found out the outcome of the run before, so the handler was not called. */
  | { readonly kind: 'found'; readonly answer: unknown }
  /** The handler was not called, and no outcome is known. */
  | { readonly kind: 'skipped'; readonly error?: unknown; readonly answer?: unknown }
  /** The invocation timed out while the handler was running. */
  | { readonly kind: 'timed-out'; readonly answer: unknown };

export function isRun(begun: Run | Answer): begun is Run {
  return 'execution' in begun;
}

/** The answer of a run that has nothing on record to answer with. */
export function answerOf(ending: Ending): Answer {
  if (ending.kind === 'threw' && ending.answer === undefined) throw ending.error;
  return ending.kind === 'returned' && !ending.isOutcome ? unrecorded(ending.answer) : own(ending.answer);
}

/** The answer of a run that committed: the committed value, whatever came after it. */
export function committedAnswer(about: About, ending: Ending, value: unknown): Answer {
  if (isHeard() && isOverruled(ending, value)) publish(about, { type: 'overruled' });
  return own(value, true);
}

function isOverruled(ending: Ending, value: unknown): boolean {
  const { kind, answer } = ending;
  if (kind === 'threw' || (kind === 'skipped' && ending.error !== undefined)) return true;
  try {
    return answer !== undefined && !process.getBuiltinModule('node:util').isDeepStrictEqual(answer, value);
  } catch {
    return true; // it has members that cannot be read
  }
}

/** Tells that a run has started. The function that it returns tells its end; only the first call counts. */
export function started(about: About, from: StartedFrom): (end: EndEvent) => void {
  const startedAt = Date.now();
  let isOver = false;
  publish(about, { type: 'started', from });
  return (end) => {
    if (!isOver) publish(about, { ...end, durationMs: Date.now() - startedAt });
    isOver = true;
  };
}
