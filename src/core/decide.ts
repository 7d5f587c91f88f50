import type { Change, Claimed, IdempotencyRecord, Outcome } from './record.ts';
import type { Written } from './store.ts';

interface Claimant {
  readonly owner: string;
  readonly fingerprint?: string | undefined;
  /** What is to be done if nobody knows whether the effect happened. */
  readonly onUnknown?: 'rerun' | 'refuse' | 'reconcile';
}

export type Decision =
  | { readonly kind: 'mine'; readonly lease: Claimed }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'replay'; readonly outcome: Outcome; readonly attempt: number }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'take'; readonly from: 'expired' | 'released' | 'abandoned' };

/** What the record in the way means to a claim. Pure; the order of the questions is the protocol. */
export function decide(found: IdempotencyRecord, claimant: Claimant, now: number): Decision {
  // The answer to our own write was lost, and the SDK sent it again.
  if (isHeld(found) && found.owner === claimant.owner) return { kind: 'mine', lease: found };
  // TTL deletes days late: a key older than its retention is a new operation, whatever is still in the table.
  if (isExpired(found, now)) return { kind: 'take', from: 'expired' };
  if (differ(found.fingerprint, claimant.fingerprint)) return { kind: 'mismatch' };
  if (found.status === 'COMPLETED') return { kind: 'replay', outcome: found.outcome, attempt: found.attempt };
  if (!isHeld(found)) return { kind: 'take', from: 'released' };
  if (now < found.leaseUntil) return { kind: 'conflict' };
  return claimant.onUnknown === 'refuse' ? { kind: 'unknown' } : { kind: 'take', from: 'abandoned' };
}

/** What became of the write that ends a run. */
export type Ended =
  | { readonly kind: 'done' }
  | { readonly kind: 'adopted'; readonly outcome: Outcome }
  | { readonly kind: 'lost' };

/** What the answer to its owner's last write of a record means. */
export function endedBy(written: Written, lease: Claimed, change: Change, now: number): Ended {
  if (written.done) return { kind: 'done' };
  const { found } = written;
  if (found?.status === 'COMPLETED' && found.owner === lease.owner) return { kind: 'done' }; // an earlier try had landed
  const isReleased = found?.status === 'IN_PROGRESS' && found.owner === undefined && found.attempt === lease.attempt;
  if (isReleased && change.kind === 'release') return { kind: 'done' }; // likewise
  const outcome = adoptable(found, lease, now);
  return outcome ? { kind: 'adopted', outcome } : { kind: 'lost' };
}

/** What a run that lost its lease may answer with: the outcome of whoever took it, if it is one of the same payload. */
export function adoptable(found: IdempotencyRecord | undefined, run: Claimant, now: number): Outcome | undefined {
  const same = found?.status === 'COMPLETED' && found.fingerprint === run.fingerprint && !isExpired(found, now);
  return same ? found.outcome : undefined;
}

/** Whether a record is one whose outcome nobody knows. */
export function isUnknown(record: IdempotencyRecord, now: number): record is Claimed {
  return isHeld(record) && !isExpired(record, now) && now >= record.leaseUntil;
}

function isHeld(record: IdempotencyRecord): record is Claimed {
  return record.status === 'IN_PROGRESS' && record.owner !== undefined;
}

function isExpired({ expiresAt }: IdempotencyRecord, now: number): boolean {
  return (expiresAt ?? Number.POSITIVE_INFINITY) * 1000 <= now;
}

// Only two fingerprints can differ: the option may have been switched on or off between two deploys.
function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
