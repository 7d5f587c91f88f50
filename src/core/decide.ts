import type { Claimed, IdempotencyRecord, Outcome } from './record.ts';

interface Asked {
  readonly owner: string;
  readonly fingerprint?: string | undefined;
  /** What is to be done where nobody knows whether the effect happened. */
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
export function decide(found: IdempotencyRecord, asked: Asked, now: number): Decision {
  // The answer to our own write was lost, and the SDK sent it again.
  if (isHeld(found) && found.owner === asked.owner) return { kind: 'mine', lease: found };
  // TTL deletes days late: a key older than its retention is a new operation, whatever is still in the table.
  if (isExpired(found, now)) return { kind: 'take', from: 'expired' };
  if (differ(found.fingerprint, asked.fingerprint)) return { kind: 'mismatch' };
  if (found.status === 'COMPLETED') return { kind: 'replay', outcome: found.outcome, attempt: found.attempt };
  if (!isHeld(found)) return { kind: 'take', from: 'released' };
  if (now < found.leaseUntil) return { kind: 'conflict' };
  return asked.onUnknown === 'refuse' ? { kind: 'unknown' } : { kind: 'take', from: 'abandoned' };
}

/** What a run that lost its lease may answer with: the outcome of whoever took it, if it is one of the same payload. */
export function adoptable(found: IdempotencyRecord | undefined, asked: Asked, now: number): Outcome | undefined {
  const same = found?.status === 'COMPLETED' && found.fingerprint === asked.fingerprint && !isExpired(found, now);
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
