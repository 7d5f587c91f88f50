import { isExpired, isHeld } from '../core/decide.ts';
import type { IdempotencyRecord } from '../core/record.ts';
import type { Clause } from '../core/store.ts';

/** What a record means now. */
export type State = 'in-progress' | 'stuck' | 'in-doubt' | 'released' | 'completed' | 'failed' | 'expired';

/** Each state in words, in the order of what needs an operator. */
export const STATES: Readonly<Record<State, string>> = {
  'in-doubt':
    'its run was lost, nobody knows what it did, and the function does not run it again: it waits for `resolve`, or for its own `onUnknown`',
  stuck: 'its run was lost, and nobody knows what it did: the next request runs it again',
  'in-progress': 'a run holds it',
  released: 'its run failed or gave up: the next request runs it again',
  failed: 'done: its error is on record, and duplicates get that',
  completed: 'done: its value is on record, and duplicates get that',
  expired: 'past its retention: the next request is a new operation, and DynamoDB will delete the record',
};

/** `now`: epoch ms. */
export function stateOf(record: IdempotencyRecord, now: number): State {
  if (isExpired(record, now)) return 'expired';
  if (record.status === 'COMPLETED') return isFailure(record.outcome) ? 'failed' : 'completed';
  if (!isHeld(record)) return 'released';
  if (now < record.leaseUntil) return 'in-progress';
  return record.expiresAt === undefined ? 'in-doubt' : 'stuck';
}

function isFailure(outcome: { readonly kind: string; readonly error?: unknown }): boolean {
  return outcome.kind === 'error' || outcome.error !== undefined;
}

/** What all records of a state have, so that the others are left where they are. */
export function clausesOf(state: State, now: number): readonly Clause[] {
  // By what a record is not, so that one whose damage hides its state is among them.
  const inProgress: Clause = [{ path: 'status', is: '<>', value: 'COMPLETED' }];
  const done: Clause = [{ path: 'status', is: '<>', value: 'IN_PROGRESS' }];
  const held: Clause = [
    { path: 'owner', is: 'there' },
    { path: 'leaseUntil', is: 'there' },
  ];
  const over: Clause = [{ path: 'leaseUntil', is: '<=', value: now }];
  const clauses: Record<State, readonly Clause[]> = {
    'in-progress': [inProgress, held, [{ path: 'leaseUntil', is: '>', value: now }]],
    stuck: [inProgress, held, over, [{ path: 'expiresAt', is: 'there' }]],
    'in-doubt': [inProgress, held, over, [{ path: 'expiresAt', is: 'absent' }]],
    released: [inProgress, [{ path: 'owner', is: 'absent' }]],
    completed: [done, [{ path: 'outcome.kind', is: '<>', value: 'error' }]],
    failed: [
      done,
      [
        { path: 'outcome.error', is: 'there' },
        { path: 'outcome.kind', is: '<>', value: 'value' },
      ],
    ],
    expired: [[{ path: 'expiresAt', is: '<=', value: Math.floor(now / 1_000) }]],
  };
  return clauses[state];
}
