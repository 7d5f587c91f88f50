import type { IdempotencyError } from '../core/errors.ts';

/** What an event source says about its events. One object each, in the table of `index.ts`. */
export interface EventSource<Event = never> {
  /** The `source` of our own events. */
  readonly name: string;
  readonly matches: (event: unknown) => boolean;
  /** Names the operation within its scope. */
  readonly operation: (event: Event) => readonly string[];
  /** May throw `KEY_INVALID`. */
  readonly key: (event: Event) => string | undefined;
  /** Idempotent by nature: runs unprotected when it has no key. */
  readonly isNatural: (event: Event) => boolean;
  readonly principal: (event: Event) => string | undefined;
  /** What must not change under a key. */
  readonly payload: (event: Event) => unknown;
  /** The trace that the event carries, as its sender wrote it. */
  readonly trace: (event: Event) => unknown;
  /** Whether a returned value is an outcome. */
  readonly isOutcome: (value: unknown) => boolean;
  /** Makes the answer to a duplicate from the recorded value. */
  readonly replay: (value: unknown, event: Event) => unknown;
  /** Makes the answer to a refusal; `earlier`: the response so far. Absent: refusals are thrown. */
  readonly refuse?: (error: IdempotencyError, event: Event, earlier?: unknown) => unknown;
}
