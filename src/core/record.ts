/** What a run ended with. The body is encoded: changing a value does not change an outcome. */
export type Outcome =
  /** `error`: the value is the answer to it, and without its body the outcome is the error. */
  | ({ readonly kind: 'value'; readonly error?: ErrorBrief } & Body)
  /** The body holds the error's other properties. */
  | ({ readonly kind: 'error'; readonly error: ErrorBrief } & Body)
  | { readonly kind: 'unavailable'; readonly body: string }; // done without a value, and why

/** An outcome that has, or had, a body. */
export type WithBody = Exclude<Outcome, { kind: 'unavailable' }>;

/** What the outcome may weigh in its record, or all its steps: DynamoDB's 400 KB for an item, less what else it has. */
export const ROOM_BYTES = 380 * 1024;

interface Body {
  /** Absent: the value is undefined, or its body is kept apart. */
  readonly body?: string | Uint8Array;
  /** The codec that wrote the body. Absent: JSON. */
  readonly codec?: string;
  /** How and where the store keeps the body, for its `load`. */
  readonly stored?: { readonly [name: string]: string | number };
}

/** What is kept of a terminal error whatever happens to the rest: in the record itself, and not encoded. Of numbers safe integers alone. */
export interface ErrorBrief {
  readonly name: string;
  /** Cut, if it is long. */
  readonly message: string;
  readonly status?: number;
  readonly statusCode?: number;
}

/** The outcome if its body cannot be kept, or is gone: an error is still one, a value is unavailable. */
export function withoutBody(outcome: Outcome, why: string): Outcome {
  if (outcome.kind === 'unavailable') return outcome;
  return outcome.error ? { kind: 'error', error: outcome.error } : { kind: 'unavailable', body: why };
}

/** What a record says of itself in clear, for operators to search by. Its `id` is what counts. */
export interface Identity {
  readonly key?: string | undefined;
  /** Within the scope: `POST /orders/{id}`. Absent: none. */
  readonly operation?: string | undefined;
  /** The caller. Absent: nobody. */
  readonly principal?: string | undefined;
  /** Names of those that were cut, with spaces between them. Absent: none was. */
  readonly cut?: string | undefined;
}

interface Common {
  /** Identity: operation, caller and key, see `recordId`. */
  readonly id: string;
  /** The same in clear; absent if `keepIdentity` is false, and in records of an earlier version. */
  readonly identity?: Identity | undefined;
  /** Rises with every write; with `claimedAt` and `owner` it tells a record from any other that ever had its id. */
  readonly version: number;
  /** 1, 2, 3 … rises with every takeover: the fencing token. */
  readonly attempt: number;
  /** The kind of event that made it, see `EventSource`; absent in records of an earlier version. */
  readonly source?: string | undefined;
  /** Of the payload, see `fingerprintOf`; absent if the fingerprint is switched off. */
  readonly fingerprint?: string | undefined;
  /** Epoch ms of the claim. */
  readonly claimedAt: number;
  /**
   * Epoch SECONDS, rounded up: DynamoDB's TTL attribute. A record in progress has none if unknown outcomes are not rerun:
   * expiry would make it a new operation.
   */
  readonly expiresAt?: number | undefined;
  /** Ms to keep the outcome, if `expiresAt` does not say: for the decision on an unknown outcome. */
  readonly retention?: number;
}

/** The outcomes of a run's steps, and of those of earlier attempts. */
export type Steps = Readonly<Record<string, Outcome>>;

/** A run holds the lease, or was lost while it held it. */
export interface Claimed extends Common {
  readonly status: 'IN_PROGRESS';
  readonly steps: Steps;
  readonly owner: string;
  /** Epoch ms; the clock skew is in it. */
  readonly leaseUntil: number;
}

/** A run gave up the lease without an outcome. */
export interface Released extends Common {
  readonly status: 'IN_PROGRESS';
  readonly steps: Steps;
  readonly owner?: undefined;
}

export interface Completed extends Common {
  readonly status: 'COMPLETED';
  readonly owner: string;
  readonly outcome: Outcome;
  /** Epoch ms. */
  readonly completedAt: number;
  /** Random: of the commit that recorded the outcome. Absent: it was no commit. */
  readonly commit?: string | undefined;
}

export type IdempotencyRecord = Claimed | Released | Completed;

/** What an owner may do to its record. */
export type Change =
  | ({ readonly kind: 'complete' } & Pick<Completed, 'outcome' | 'completedAt' | 'expiresAt' | 'commit'>)
  /** Prolongs the lease; never moves it back. */
  | ({ readonly kind: 'extend' } & Pick<Claimed, 'leaseUntil' | 'expiresAt'>)
  /** Ends the lease at once, and leaves the outcome unknown. */
  | ({ readonly kind: 'end' } & Pick<Claimed, 'leaseUntil' | 'expiresAt'>)
  | { readonly kind: 'step'; readonly name: string; readonly outcome: Outcome }
  /** Gives up the lease without an outcome. `isForgotten`: nothing was done, so that another payload may come. */
  | ({ readonly kind: 'release'; readonly isForgotten?: boolean } & Pick<Released, 'expiresAt'>);

/** The record after a change, without the attributes that its new state does not have. */
export function changed(record: Claimed, change: Change): IdempotencyRecord {
  const { leaseUntil, steps, owner, ...common } = record;
  const version = record.version + 1;
  switch (change.kind) {
    case 'complete': {
      const { kind, ...completion } = change;
      return { ...common, owner, ...completion, status: 'COMPLETED', version };
    }
    case 'extend':
    case 'end':
      return { ...record, leaseUntil: change.leaseUntil, expiresAt: change.expiresAt, version };
    case 'step':
      return { ...record, steps: { ...steps, [change.name]: change.outcome }, version };
    case 'release': {
      const fingerprint = change.isForgotten ? undefined : record.fingerprint;
      return { ...common, fingerprint, steps, expiresAt: change.expiresAt, version };
    }
  }
}

/** Whether a change is an extension that a later one has overtaken. */
export function isOvertaken(record: Claimed, change: Change): boolean {
  return change.kind === 'extend' && change.leaseUntil < record.leaseUntil;
}
