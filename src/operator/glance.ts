import { present } from '../core/present.ts';
import type { IdempotencyRecord } from '../core/record.ts';
import { type State, stateOf } from './state.ts';

/** What is known of a record without its values. All times are in epoch ms. */
export interface Listed {
  readonly id: string;
  readonly scope: string;
  readonly state: State;
  /** Absent: with `keepIdentity: false`, and of an earlier version. */
  readonly key?: string;
  /** `POST /orders/{id}`; absent: none. */
  readonly operation?: string;
  /** The caller; absent: nobody. */
  readonly principal?: string;
  /** Which of the three the record has cut: what is here is their begin. */
  readonly cut: readonly string[];
  /** The kind of event that made it. */
  readonly source?: string;
  readonly attempt: number;
  readonly version: number;
  readonly owner?: string;
  readonly claimedAt: number;
  /** Of a record in progress; the clock skew is in it. */
  readonly leaseUntil?: number;
  readonly completedAt?: number;
  /** Absent: never, as its outcome must not be forgotten. */
  readonly expiresAt?: number;
  /** Name and message of the error on record. */
  readonly error?: { readonly name: string; readonly message: string };
}

export function scopeOf(id: string): string {
  return id.slice(0, id.lastIndexOf('#'));
}

/** `now`: epoch ms. */
export function listedOf(record: IdempotencyRecord, now: number): Listed {
  const { id, identity = {}, source, attempt, version, owner, claimedAt, expiresAt } = record;
  const { cut = '', ...parts } = identity;
  const done = record.status === 'COMPLETED' ? record : undefined;
  const error = done && 'error' in done.outcome ? done.outcome.error : undefined;
  return present({
    id,
    scope: scopeOf(id),
    state: stateOf(record, now),
    ...parts,
    cut: cut === '' ? [] : cut.split(' '),
    source,
    attempt,
    version,
    owner,
    claimedAt,
    leaseUntil: 'leaseUntil' in record ? record.leaseUntil : undefined,
    completedAt: done?.completedAt,
    expiresAt: expiresAt === undefined ? undefined : expiresAt * 1_000,
    error: error && { name: error.name, message: error.message },
  }) as unknown as Listed;
}
