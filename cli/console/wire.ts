import type { Listed } from '../../src/operator/glance.ts';
import type { Inspection } from '../../src/operator/inspect.ts';
import type { ListOptions } from '../../src/operator/list.ts';
import type { Seen } from '../../src/operator/seen.ts';
import type { State } from '../../src/operator/state.ts';
import type { Progress } from '../../src/operator/walk.ts';

/** What is on show. */
export interface About {
  readonly table: string;
  readonly region?: string;
  /** Of DynamoDB, where it is not AWS's own. */
  readonly endpoint?: string;
  readonly readOnly: boolean;
  /** Read units that a search consumes in a second. */
  readonly unitsPerSecond: number;
  /** Each state in words, in the order of what needs an operator. */
  readonly states: Readonly<Record<State, string>>;
}

/** What a search is for; in the parameter `sought` of a request, as JSON. `from`: where an earlier one went on. */
export type Sought = Pick<ListOptions, 'state' | 'scope' | 'operation' | 'principal' | 'key' | 'olderThan' | 'from'>;

/** A line of a search. The last one is `end` or `failed`; an `end` with a token may go on there. */
export type Line =
  | { readonly record: Listed }
  | { readonly progress: Progress }
  | { readonly end: Progress }
  | { readonly failed: Fault };

/** Why a request was refused, in one sentence. */
export interface Fault {
  /** Of an `IdempotencyError`, or of the console: `FORBIDDEN`, `READ_ONLY`, `INVALID`, `FAILED`. */
  readonly code: string;
  readonly message: string;
}

/** A record, and whether its outcome is a response with a status. */
export type Shown = Inspection & { readonly isResponse: boolean };

/** On an unknown outcome. The record must still be the one that was seen. */
export interface Resolution {
  readonly id: string;
  readonly seen: Seen;
  readonly verdict: { readonly rerun: true } | { readonly value: unknown };
}

export type Forgetting = Pick<Resolution, 'id' | 'seen'>;
