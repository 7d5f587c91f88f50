import type { IdempotencyError } from '../core/errors.ts';

/** What an event source says about its events. One object each, in the table of `index.ts`. */
export interface EventSource<Event = never, Read = Event> {
  /** The `source` of our own events, and of records. */
  readonly name: string;
  readonly matches: (event: unknown) => boolean;
  /** What the following are told of: read once, on arrival. Most sources ask the event itself. */
  readonly read: (event: Event) => Read;
  /** Names the operation within its scope. */
  readonly operation: (read: Read) => readonly string[];
  /** May throw `KEY_INVALID`, or `MISUSE`. */
  readonly key: (read: Read) => string | undefined;
  /** Idempotent by nature: runs unprotected when it has no key. */
  readonly isNatural: (read: Read) => boolean;
  /** Never recorded, whatever its key: a query, for example. */
  readonly isExempt: (read: Read) => boolean;
  /** Undefined: nobody was authenticated. Throws `CONFIG_INVALID` if somebody was, and we cannot tell who. */
  readonly principal: (read: Read) => string | undefined;
  /** What must not change under a key. */
  readonly payload: (read: Read) => unknown;
  /** The payload as fingerprints of version 1 had it; undefined: the same. */
  readonly formerPayload: (read: Read) => unknown;
  /** The trace that the event carries, as its sender wrote it. */
  readonly trace: (read: Read) => unknown;
  /** Whether a returned value is an outcome. */
  readonly isOutcome: (value: unknown) => boolean;
  /**
   * What a duplicate does while the first run is under way; `'wait-for-end'`: waits if the lease in its way ends in time.
   * @default 'reject'
   */
  readonly onConflict?: OnConflict;
  /** Makes an answer of what a handler returned if the rest of its chain has failed to. */
  readonly finish: (value: unknown, event: Event) => unknown;
  /** Makes the answer to a duplicate from the recorded value. */
  readonly replay: (value: unknown, event: Event) => unknown;
  /** Makes the answer to a refusal; `earlier`: the response so far. Absent: refusals are thrown. */
  readonly refuse?: (error: IdempotencyError, event: Event, earlier?: unknown) => Promise<unknown>;
  readonly words: Words;
}

export type OnConflict = 'reject' | 'wait' | 'wait-for-end';

/** What refusals say, in the words of the source: each part ends a sentence. */
export interface Words {
  /** What carries the key: "… is longer than 255 characters". */
  readonly key: string;
  /** "no idempotency key: …" */
  readonly missing: string;
  /** "a run with this key is in flight: …" */
  readonly conflict: string;
  /** "this key was used with …" */
  readonly mismatch: string;
}
