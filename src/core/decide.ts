import type { Change, Claimed, Completed, IdempotencyRecord, Outcome } from './record.ts';
import type { Written } from './store.ts';

interface Claimant {
  readonly owner: string;
  readonly fingerprint?: string | undefined;
  /** The fingerprint as an earlier version made it, for records that have such a one. */
  readonly formerFingerprint?: (() => string | undefined) | undefined;
  /** What is to be done if nobody knows whether the effect happened. */
  readonly onUnknown?: 'rerun' | 'refuse' | 'reconcile';
}

export type Decision =
  | { readonly kind: 'mine'; readonly lease: Claimed }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'replay'; readonly outcome: Outcome; readonly attempt: number }
  /** `leaseUntil`: until when the other run has it, unless it prolongs that; epoch ms. Absent: it changes too fast to say. */
  | { readonly kind: 'conflict'; readonly leaseUntil?: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'take'; readonly from: 'expired' | 'released' | 'abandoned' };

/** What the record in the way means to a claim. Pure; the order of the questions is the protocol. */
export function decide(found: IdempotencyRecord, claimant: Claimant, now: number): Decision {
  // Our own write landed, its answer was lost, and it was sent again.
  if (isHeld(found) && found.owner === claimant.owner) return { kind: 'mine', lease: found };
  // TTL deletes days late. A key older than its retention is a new operation, even if its record is still there.
  if (isExpired(found, now)) return { kind: 'take', from: 'expired' };
  if (isOfAnother(found, claimant)) return { kind: 'mismatch' };
  if (found.status === 'COMPLETED') return { kind: 'replay', outcome: found.outcome, attempt: found.attempt };
  if (!isHeld(found)) return { kind: 'take', from: 'released' };
  if (now < found.leaseUntil) return { kind: 'conflict', leaseUntil: found.leaseUntil };
  return claimant.onUnknown === 'refuse' ? { kind: 'unknown' } : { kind: 'take', from: 'abandoned' };
}

/** What became of the write that ends a run. */
export type Landing =
  | { readonly kind: 'done' }
  | ({ readonly kind: 'adopted' } & Adoptable)
  | { readonly kind: 'lost' };

/** What a run without its lease may answer with. */
type Adoptable = Pick<Completed, 'outcome' | 'attempt'>;

/** What the answer to a run's last write means. */
export function landingOf(written: Written, lease: Claimed, change: Change, now: number): Landing {
  if (written.done) return { kind: 'done' };
  const { found } = written;
  // An earlier try had landed; another commit of this run is not this one.
  const isCompleted = found?.status === 'COMPLETED' && found.owner === lease.owner;
  if (isCompleted && change.kind === 'complete' && found.commit === change.commit) return { kind: 'done' };
  const isReleased = found?.status === 'IN_PROGRESS' && found.owner === undefined && found.attempt === lease.attempt;
  if (isReleased && change.kind === 'release') return { kind: 'done' }; // likewise
  const other = adoptable(found, lease, now);
  return other ? { kind: 'adopted', ...other } : { kind: 'lost' };
}

/** The record that kept a write from landing, if it is the lease's own. */
export function ownIn(written: Written, { owner }: Claimed): IdempotencyRecord | undefined {
  return !written.done && written.found?.owner === owner ? written.found : undefined;
}

/** The outcome that a run without its lease may answer with: the winner's, if it is of the same payload. */
export function adoptable(found: IdempotencyRecord | undefined, run: Claimant, now: number): Adoptable | undefined {
  const same = found?.status === 'COMPLETED' && found.fingerprint === run.fingerprint && !isExpired(found, now);
  return same ? { outcome: found.outcome, attempt: found.attempt } : undefined;
}

/** Whether nobody knows the record's outcome. */
export function isUnknown(record: IdempotencyRecord, now: number): record is Claimed {
  return isHeld(record) && !isExpired(record, now) && now >= record.leaseUntil;
}

/** Whether a run holds the record, or was lost while it held it. */
export function isHeld(record: IdempotencyRecord): record is Claimed {
  return record.status === 'IN_PROGRESS' && record.owner !== undefined;
}

/** Whether the record is older than its retention: it means nothing then, even if it is still there. */
export function isExpired({ expiresAt }: IdempotencyRecord, now: number): boolean {
  return (expiresAt ?? Number.POSITIVE_INFINITY) * 1000 <= now;
}

// A deploy may have switched the option on or off, or brought another version: what cannot be compared does not differ.
function isOfAnother({ fingerprint: found }: IdempotencyRecord, { fingerprint, formerFingerprint }: Claimant): boolean {
  if (found === undefined || fingerprint === undefined) return false;
  return found !== fingerprint && found !== formerFingerprint?.();
}
