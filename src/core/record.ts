/** What a run ended with. The body is encoded: changing a value does not change an outcome. */
export type Outcome =
  | {
      readonly kind: 'value' | 'error';
      /** Absent: the value is undefined, or its body is kept apart. */
      readonly body?: string | Uint8Array;
      /** The codec that wrote the body. Absent: JSON. */
      readonly codec?: string;
      /** How and where the store keeps the body, for its `load`. */
      readonly stored?: { readonly [name: string]: string | number };
    }
  | { readonly kind: 'unavailable'; readonly body: string }; // done without a value, and why

interface Common {
  /** Identity: operation, caller and key, see `recordId`. */
  readonly id: string;
  /** Rises with every write; with `claimedAt` and `owner` it tells a record from any other that ever had its id. */
  readonly version: number;
  /** 1, 2, 3 … rises with every takeover: the fencing token. */
  readonly attempt: number;
  /** SHA-256 of the payload; absent if the fingerprint is switched off. */
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
}

export type IdempotencyRecord = Claimed | Released | Completed;

/** What an owner may do to its record. */
export type Change =
  | ({ readonly kind: 'complete' } & Pick<Completed, 'outcome' | 'completedAt' | 'expiresAt'>)
  /** Prolongs the lease; never moves it back. */
  | ({ readonly kind: 'extend' } & Pick<Claimed, 'leaseUntil' | 'expiresAt'>)
  /** Ends the lease at once, and leaves the outcome unknown. */
  | ({ readonly kind: 'end' } & Pick<Claimed, 'leaseUntil' | 'expiresAt'>)
  | { readonly kind: 'step'; readonly name: string; readonly outcome: Outcome }
  /** Gives up the lease without an outcome. */
  | ({ readonly kind: 'release' } & Pick<Released, 'expiresAt'>);

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
    case 'release':
      return { ...common, steps, expiresAt: change.expiresAt, version };
  }
}

/** Whether a change is an extension that a later one has overtaken. */
export function isOvertaken(record: Claimed, change: Change): boolean {
  return change.kind === 'extend' && change.leaseUntil < record.leaseUntil;
}
