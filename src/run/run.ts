import { type About, type End, type From, publish } from '../core/events.ts';
import type { Execution } from '../execution.ts';
import { type Answer, own } from './answer.ts';

/** A run between its claim and its outcome. */
export interface Run {
  readonly execution: Execution;
  /** Whether its answer is decided, whatever its handler does. */
  readonly hasCommitted: () => boolean;
  /**
   * Ends it, and gives what its caller is answered: what is on record if that is another's, or was committed. Throws what the
   * handler threw if nothing else is to be answered, and `LEASE_LOST` if it was taken over and there is no outcome to adopt.
   */
  readonly end: (ending: Ending) => Promise<Answer>;
}

/** How a run ended, and what its caller would be answered. */
export type Ending =
  /** The handler returned; what is no outcome releases the key. */
  | { readonly kind: 'returned'; readonly answer: unknown; readonly isOutcome: boolean }
  /** The handler threw; an answer is what others have made of the error. */
  | { readonly kind: 'threw'; readonly error: unknown; readonly answer?: unknown }
  /** An unknown outcome was found out, so that the handler was not called. */
  | { readonly kind: 'found'; readonly answer: unknown }
  /** The handler was not called, and nothing is known. */
  | { readonly kind: 'skipped'; readonly error?: unknown; readonly answer?: unknown }
  /** The invocation is over, whatever the handler still does. */
  | { readonly kind: 'timed-out'; readonly answer: unknown };

export function isRun(begun: Run | Answer): begun is Run {
  return 'execution' in begun;
}

/** The answer that a run makes itself. */
export function answerOf(ending: Ending): Answer {
  if (ending.kind === 'threw' && ending.answer === undefined) throw ending.error;
  return own(ending.answer);
}

/** Tells that a run has started, and gives what tells its end, the first time that it is called. */
export function started(about: About, from: From): (end: End) => void {
  const startedAt = Date.now();
  let isOver = false;
  publish(about, { type: 'started', from });
  return (end) => {
    if (!isOver) publish(about, { ...end, durationMs: Date.now() - startedAt });
    isOver = true;
  };
}
