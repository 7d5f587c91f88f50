/** What a run ended with. Bodies are encoded already, so nobody can alter an outcome by touching a value. */
export type Outcome =
  | {
      readonly kind: 'value' | 'error';
      /** Absent: undefined, or kept elsewhere. */
      readonly body?: string | Uint8Array;
      /** The codec that wrote the body. Absent: JSON. */
      readonly codec?: string;
      /** Where and how a store keeps the body, if not as it is; only its `load` knows. */
      readonly stored?: { readonly [name: string]: string | number };
    }
  | { readonly kind: 'unavailable'; readonly body: string }; // done, but the value could not be kept: why

interface Common {
  /** Identity: operation, caller and key, see `recordId`. */
  readonly id: string;
  /** Rises with every write; with `claimedAt` and `owner` it tells a record from any other that ever had its id. */
  readonly version: number;
  /** 1, 2, 3 … rises with every takeover: the fencing token. */
  readonly attempt: number;
  /** SHA-256 of the payload; absent where the fingerprint is switched off. */
  readonly fingerprint?: string | undefined;
  /** Epoch ms of the claim. */
  readonly claimedAt: number;
  /**
   * Epoch SECONDS, rounded up: DynamoDB's TTL attribute. Absent in progress where an unknown outcome is not to be rerun: it
   * must not turn into a rerun by growing old.
   */
  readonly expiresAt?: number | undefined;
  /** Ms an outcome is to be kept, where `expiresAt` does not say: for who decides an unknown outcome. */
  readonly retention?: number;
}

/** What the steps of a run, or of the attempts before it, ended with. */
export type Steps = Readonly<Record<string, Outcome>>;

/** A run holds the lease, or held it and was never heard of again. */
export interface Claimed extends Common {
  readonly status: 'IN_PROGRESS';
  readonly steps: Steps;
  readonly owner: string;
  /** Epoch ms; the clock skew is in it. */
  readonly leaseUntil: number;
}

/** A run gave the lease up without an outcome. */
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
  /** Gives the lease up without an outcome. */
  | ({ readonly kind: 'release' } & Pick<Released, 'expiresAt'>);

/** The record after its owner changed it: no record keeps what its state does not have. */
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

/** Whether a change comes too late to make sense: an extension that another has overtaken. */
export function isOvertaken(record: Claimed, change: Change): boolean {
  return change.kind === 'extend' && change.leaseUntil < record.leaseUntil;
}
