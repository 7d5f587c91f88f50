import type { Change, Claimed, IdempotencyRecord, Outcome } from './record.ts';

/** What tells a record from any other that ever had its id. */
type Seen = Pick<IdempotencyRecord, 'id' | 'version' | 'claimedAt' | 'owner'>;

/** A write of one record, with the condition under which it lands. */
export type Write =
  /**
   * Writes `next` if no record has its id: a claim, a released record in the place of a claim that was given up, or in a
   * transaction an outcome that was never claimed.
   */
  | { readonly kind: 'insert'; readonly next: IdempotencyRecord }
  /** Writes `next` if the record is still the one `seen`: same `version`, same `claimedAt`, same `owner` or none. */
  | { readonly kind: 'replace'; readonly seen: Seen; readonly next: IdempotencyRecord }
  /**
   * Changes the record and raises its `version` if it is IN_PROGRESS and `held.owner` its owner. Never creates one, and never
   * moves `leaseUntil` back by an extension.
   */
  | { readonly kind: 'update'; readonly held: Claimed; readonly change: Change };

/** The write landed, or found another record (undefined: none) in its way. Losing is a value; only a broken store throws. */
export type Written = { readonly done: true } | { readonly done: false; readonly found: IdempotencyRecord | undefined };

/** One of several writes failed: the error that `write` would have thrown. */
export interface Failed {
  readonly failed: unknown;
}

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

/** As a write; or a business write was refused, with the error to throw, and nothing was written. */
export type Transacted = Written | { readonly done: false; readonly refusal: unknown };

/**
 * Where records are kept: compare-and-swap on single records. All judgement is elsewhere.
 *
 * Each write evaluates its condition and lands in one step, sees every earlier write, hands back the record that was in the way,
 * and stops when `signal` aborts. A store keeps no options, no lease and no clock: many invocations share one.
 *
 * Throws `IdempotencyError` `CONFIG_INVALID` when no retry can help (no table, no permission), `STORE_UNAVAILABLE` otherwise. The
 * write may have landed then, unless the error is `isUnwritten`; it is sent again, while there is time, if the error is `isPassing`.
 * To change what some writes do, wrap `write`; `transact` is not changed by that.
 *
 * @example
 * const counting = (store: Store): Store => ({
 *   ...store,
 *   write: (write, signal) => {
 *     counts[write.kind]++;
 *     return store.write(write, signal);
 *   },
 * });
 */
export interface Store {
  write(write: Write, signal?: AbortSignal): Promise<Written>;
  /** Writes of different records in one request, each judged alone. The runtime calls `write`; a decorator may group its calls. */
  writeAll?(writes: readonly Write[], signal?: AbortSignal): Promise<readonly (Written | Failed)[]>;
  /** Lands together with the business writes, or not at all. Absent: the store has no transactions. */
  transact?(write: Write, writes: readonly TransactWrite[], signal?: AbortSignal): Promise<Transacted>;
  /** Throws for writes of a commit that could not be sent, or are not the user's to send. Called before anything is sent of it. */
  check?(writes: readonly TransactWrite[]): void;
  /**
   * The outcome as a record can keep it, before it is written: as it is, or smaller, with its body compressed or apart.
   * Absent: a record keeps outcomes of any size.
   */
  keep?(outcome: Outcome, place: Place, signal?: AbortSignal): Promise<Outcome>;
  /**
   * Bytes: `keep` is asked only for outcomes with a larger body. It belongs to `keep`: a decorator with a `keep` of its own has its own.
   * @default - it is asked for every outcome
   */
  readonly keepsBelow?: number;
  /**
   * An outcome that has `stored`, with its body; without it if the body is gone. Absent: outcomes always come with their bodies.
   */
  load?(outcome: Outcome, id: string, signal?: AbortSignal): Promise<Outcome>;
  /** The record as it is now. For operators: no claim needs it. */
  read?(id: string, signal?: AbortSignal): Promise<IdempotencyRecord | undefined>;
  /** A page of all that is kept. For operators. */
  scan?(scan: Scan, signal?: AbortSignal): Promise<ScanPage>;
  /** About how much there is to scan. For operators. */
  total?(signal?: AbortSignal): Promise<Total>;
}

/** A page to scan. */
export interface Scan {
  /** Counted from 0, of so many parts of the table that are scanned side by side. */
  readonly segment: number;
  readonly segments: number;
  /** The id after which the page begins; absent: at the begin of its segment. */
  readonly after?: string | undefined;
  /** Items to look at. */
  readonly limit: number;
  /** Each of these holds for the records that are sought. A store may give more. */
  readonly where: readonly Clause[];
  /** Whether values, and the parts of large ones, come along, and what all of it weighs. */
  readonly isWhole: boolean;
}

/** At least one of these holds. */
export type Clause = readonly Term[];

/**
 * `path`: an attribute, or a member of one: `identity.key`. `<>`, `<=` and `>` also hold for a value that is missing or of another type, so
 * that damaged records are found and reported.
 */
export type Term = { readonly path: string } & (
  | { readonly is: 'there' | 'absent' }
  | { readonly is: '=' | '<>' | '<=' | '>' | 'begins' | 'contains'; readonly value: string | number }
);

export interface ScanPage {
  readonly found: readonly Found[];
  /** Where the segment goes on; undefined: it is over. */
  readonly next: string | undefined;
  /** Items that were looked at. */
  readonly scanned: number;
  readonly readUnits: number;
}

export type Found = {
  readonly id: string;
  /** Present only if the scan is whole. */
  readonly bytes?: number;
} & (
  | /** Without its values, unless the scan is whole: without steps, and outcomes without bodies. */
  { readonly kind: 'record'; readonly record: IdempotencyRecord }
  | /** Of a large value. */ { readonly kind: 'part' }
  /** `foreign`: another tool's; `newer`: a later version's. */
  | { readonly kind: 'foreign' | 'newer' | 'damaged'; readonly why: string }
);

export interface Total {
  readonly items: number;
  readonly bytes: number;
}

/** Where an outcome is to be kept. */
export interface Place {
  /** The record that will hold it, or point to its body. */
  readonly record: Pick<IdempotencyRecord, 'id' | 'owner' | 'expiresAt' | 'retention'> &
    Partial<Pick<Claimed, 'leaseUntil'>>;
  /** Bytes. A body that is larger, also when it is compressed, is kept apart. Absent: the store decides. */
  readonly inline?: number;
  /** Bytes. Present: the body may not be kept apart, and is lost if it is larger. */
  readonly room?: number;
}

/** The id of the record that is written. */
export function idOf(write: Write): string {
  return write.kind === 'update' ? write.held.id : write.next.id;
}

/** One call of a store. */
export type Call =
  | { readonly to: 'write'; readonly write: Write }
  | { readonly to: 'transact'; readonly write: Write }
  | { readonly to: 'keep' | 'load' | 'read' | 'scan' };

/** What is done around a call: `send` makes it, and `signal` is its caller's. */
export type Around = <T>(call: Call, send: (signal?: AbortSignal) => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** The store with `around` about each of its calls. */
export function intercepted(store: Store, around: Around): Store {
  const { transact, check, keep, keepsBelow, load, read, scan, total } = store;
  const whole: { -readonly [Name in keyof Store]: Store[Name] } = {
    write: (write, signal) => around({ to: 'write', write }, (within) => store.write(write, within), signal),
  };
  if (transact)
    whole.transact = (write, writes, signal) =>
      around({ to: 'transact', write }, (within) => transact.call(store, write, writes, within), signal);
  if (check) whole.check = check;
  if (keepsBelow !== undefined) whole.keepsBelow = keepsBelow;
  if (keep)
    whole.keep = (outcome, place, signal) =>
      around({ to: 'keep' }, (within) => keep.call(store, outcome, place, within), signal);
  if (load)
    whole.load = (outcome, id, signal) =>
      around({ to: 'load' }, (within) => load.call(store, outcome, id, within), signal);
  if (read) whole.read = (id, signal) => around({ to: 'read' }, (within) => read.call(store, id, within), signal);
  if (scan) whole.scan = (page, signal) => around({ to: 'scan' }, (within) => scan.call(store, page, within), signal);
  if (total) whole.total = (signal) => around({ to: 'scan' }, (within) => total.call(store, within), signal);
  return whole;
}
