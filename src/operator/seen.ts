import { IdempotencyError } from '../core/errors.ts';
import type { IdempotencyRecord } from '../core/record.ts';

/** The record as it was shown: what `inspect` and `list` give has these. */
export type Seen = Pick<IdempotencyRecord, 'version' | 'claimedAt' | 'owner'>;

/** Whether nothing was written to it since. */
export function isSame(record: Seen, seen: Seen): boolean {
  return record.version === seen.version && record.claimedAt === seen.claimedAt && record.owner === seen.owner;
}

export function changedMeanwhile(id: string): IdempotencyError {
  return new IdempotencyError('CONFLICT', 'the record was changed meanwhile', { id });
}
