import type { Change, Claimed, Completed, Completion, IdempotencyRecord, Outcome } from './record.ts';

/** A write landed, or a record (undefined: none) was in the way. Losing is a value; only a broken store throws. */
export type Written = { readonly done: true } | { readonly done: false; readonly found: IdempotencyRecord | undefined };

/** A business write in the shapes of lib-dynamodb's `TransactWriteCommand`. */
export type TransactWrite =
  | { readonly Put: TableWrite & { readonly Item: Record<string, any> } }
  | { readonly Update: TableWrite & { readonly Key: Record<string, any>; readonly UpdateExpression: string } }
  | { readonly Delete: TableWrite & { readonly Key: Record<string, any> } }
  | {
      readonly ConditionCheck: TableWrite & { readonly Key: Record<string, any>; readonly ConditionExpression: string };
    };

interface TableWrite {
  readonly TableName: string | undefined;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, any>;
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE';
}

/** As `update` completes what is held, as `insert` writes `next`, or as `replace` does where something was `seen`. */
export type CompletingWrite =
  | { readonly held: Claimed; readonly completion: Completion }
  | { readonly next: Completed; readonly seen?: Seen | undefined };

/** A transaction landed, or the record was in the way, or one of the writes was refused: then by this error. */
export type Transacted = Written | { readonly done: false; readonly refusal: unknown };

/** What tells a record from any other that ever had its id. */
type Seen = Pick<IdempotencyRecord, 'id' | 'version' | 'claimedAt' | 'owner'>;

/**
 * Three atomic compare-and-swap primitives on single records; all judgement is elsewhere.
 *
 * Each evaluates its condition and writes in one step, sees every earlier write, hands back the record that was in the way,
 * and stops when `signal` aborts. A store keeps no options, no lease and no clock: many invocations share one.
 *
 * Throws `IdempotencyError` `CONFIG_INVALID` when no retry can help (no table, no permission), `STORE_UNAVAILABLE` otherwise;
 * the write may have landed then.
 */
export interface Store {
  /** Writes `next` if no record has its id. */
  insert(next: Claimed, signal?: AbortSignal): Promise<Written>;
  /** Writes `next` if the record is still the one `seen`: same `version`, same `claimedAt`, same `owner` or none. */
  replace(seen: Seen, next: IdempotencyRecord, signal?: AbortSignal): Promise<Written>;
  /**
   * Changes the record and raises its `version`, if it is IN_PROGRESS and `held.owner` its owner. Never creates one, and never
   * moves `leaseUntil` back.
   */
  update(held: Claimed, change: Change, signal?: AbortSignal): Promise<Written>;
  /** Completes a record together with the writes, or does nothing at all. Absent where there are no transactions. */
  transact?(write: CompletingWrite, writes: readonly TransactWrite[], signal?: AbortSignal): Promise<Transacted>;
  /** An outcome that this store handed back, with its body; `unavailable` where that is gone. Absent: all come with theirs. */
  load?(outcome: Outcome, signal?: AbortSignal): Promise<Outcome>;
}
