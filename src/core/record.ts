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

/** What completes a record. */
export type Completion = Pick<Completed, 'status' | 'outcome' | 'completedAt' | 'expiresAt'>;

/** What an owner may do to its record: complete it, prolong the lease, end it, record a step, or release it. */
export type Change =
  | Completion
  | Pick<Claimed, 'leaseUntil' | 'expiresAt'>
  | ({ readonly leaseEnded: number } & Pick<Claimed, 'expiresAt'>)
  | { readonly step: string; readonly ended: Outcome }
  | Pick<Released, 'expiresAt'>;

/** The record after its owner changed it: no record keeps what its state does not have. */
export function changed(record: Claimed, change: Change): IdempotencyRecord {
  const { leaseUntil, steps, owner, ...rest } = record;
  const version = record.version + 1;
  if ('leaseUntil' in change) return { ...record, ...change, version };
  if ('leaseEnded' in change) {
    return { ...record, leaseUntil: change.leaseEnded, expiresAt: change.expiresAt, version };
  }
  if ('step' in change) return { ...record, steps: { ...steps, [change.step]: change.ended }, version };
  if ('outcome' in change) return { ...rest, owner, ...change, version };
  return { ...rest, steps, version, ...change };
}

/** Whether a change comes too late to make sense: an extension that another has overtaken. */
export function isOvertaken(record: Claimed, change: Change): boolean {
  return 'leaseUntil' in change && change.leaseUntil < record.leaseUntil;
}
