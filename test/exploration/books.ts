import type { IdempotencyRecord } from '../../src/core/record.ts';
import type { StoreRequest } from './executor.ts';
import { isFence, isOwners, isRelease, recordIdOf } from './requests.ts';
import { add, bodyOf, type Interned, isRunning, type KeyState, keyed, ownerOf, type State } from './state.ts';
import type { World } from './world.ts';

/** The state after a request of executor `i` has made `after` of the record it found, or nothing, with the books kept. */
export function booked(
  world: World,
  asked: State,
  i: number,
  request: StoreRequest,
  after: Interned | undefined,
): State {
  const { key, reconcile } = world.program(i);
  const state = asked.keys[key]?.id ? asked : keyed(asked, key, { id: recordIdOf(request) });
  if (!after) return state;
  const of = state.keys[key] as KeyState;
  const before = of.record?.record;
  const isNew = !before || request.write.kind === 'insert' || world.isExpired(state, i, before);
  const isAnother = isNew && !isOwners(request) && !isFence(request);
  const body = bodyOf(after.record);
  const next = keyed(state, key, {
    record: after,
    generations: of.generations + (isAnother ? 1 : 0),
    commits: (isAnother ? 0 : of.commits) + (request.kind === 'transact' ? 1 : 0),
    isTaken:
      isOwners(request) || isFence(request) ? of.isTaken : request.write.kind === 'replace' && isAbandoned(before),
    unknown: reconcile ? unknownAfter(request, of, after.record) : '',
    recorded: body === undefined || of.recorded.includes(body) ? of.recorded : [...of.recorded, body].sort(),
  });
  if (isRelease(request) && state.places[i]?.entered) return add(next, key, { allowed: 1 });
  const isOutlived = !isOwners(request) && isHeldTooLong(state, before, world.clockOf(state, i));
  return isOutlived ? add(next, key, { allowed: 1, stepsAllowed: 1 }) : next;
}

/** Whether the lease of a run that goes on has ended. */
function isHeldTooLong(state: State, record: IdempotencyRecord | undefined, now: number): boolean {
  if (record?.status !== 'IN_PROGRESS' || record.owner === undefined || record.leaseUntil > now) return false;
  const owner = ownerOf(record) as number;
  return isRunning(state, owner) && (state.places[owner]?.entered ?? false);
}

function unknownAfter(
  request: StoreRequest,
  { record, unknown }: KeyState,
  after: IdempotencyRecord,
): KeyState['unknown'] {
  const { write } = request;
  if (isFence(request)) return unknown;
  if (after.owner === undefined || after.status === 'COMPLETED') return '';
  if (write.kind !== 'replace') return write.kind === 'insert' ? '' : unknown;
  return isAbandoned(record?.record) ? 'nobody has looked' : '';
}

function isAbandoned(record: IdempotencyRecord | undefined): boolean {
  return record?.status === 'IN_PROGRESS' && record.owner !== undefined;
}
