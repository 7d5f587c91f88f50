import { seconds } from '../core/duration.ts';
import { IdempotencyError } from '../core/errors.ts';
import type { Claimed, IdempotencyRecord } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import { DEFAULT_RETENTION_MS, environment } from '../environment.ts';
import { CACHE_FOR_MS } from '../stores/cache-for.ts';
import { forOperators } from './for-operators.ts';
import { recordOf } from './inspect.ts';
import { idIn } from './record-id.ts';
import { changedMeanwhile, isSame, type Seen } from './seen.ts';
import { stateOf } from './state.ts';

/** What was forgotten. */
export interface Forgotten {
  readonly id: string;
  /**
   * Ms for which processes that have the outcome in their cache may still answer with it: the default of `dynamoDBStore({ cacheFor })`; yours may
   * have another. 0: there was no outcome.
   */
  readonly cachedForMs: number;
}

/**
 * Lets a key run again, as if it had never run, also for another payload: the record that was seen is replaced by a released one, without
 * outcome, steps and fingerprint. Nothing is deleted. `instance`: the record's id, or what problem details have under that name. `seen`: what
 * `inspect` or `list` has shown; if it has changed since, nothing is written.
 *
 * Throws `IdempotencyError`: `CONFLICT` while a run holds the key, and if the record was changed meanwhile; `MISUSE` if its outcome is unknown
 * (`resolve` decides that), if there is no such record, and on a store without `read`; `CONFIG_INVALID`, `STORE_UNAVAILABLE`.
 *
 * @example
 * const { cachedForMs } = await forget(dynamoDBStore(), recordId({ scope: 'charge', key: 'order-1' }));
 */
export async function forget(
  store: Store,
  instance: string,
  { seen }: { readonly seen?: Seen } = {},
): Promise<Forgotten> {
  const id = idIn(instance);
  const patientStore = forOperators(store);
  const record = await recordOf(patientStore, id);
  const now = Date.now();
  if (seen && !isSame(record, seen)) throw changedMeanwhile(id);
  refuseHeld(record, now);
  const next = forgotten(record, now);
  const written = await patientStore.write({ kind: 'replace', seen: record, next });
  const isDone = written.done || (written.found && isSame(written.found, next)); // an earlier try had landed
  if (!isDone) throw changedMeanwhile(id);
  const isCached = record.status === 'COMPLETED' && stateOf(record, now) !== 'expired';
  return { id, cachedForMs: isCached ? CACHE_FOR_MS : 0 };
}

function refuseHeld(record: IdempotencyRecord, now: number): void {
  const { id } = record;
  const state = stateOf(record, now);
  if (state === 'stuck' || state === 'in-doubt') {
    const what = 'its run was lost, and nobody knows what it did: `resolve` decides that';
    throw new IdempotencyError('MISUSE', `an unknown outcome is not to be forgotten: ${what}`, { id });
  }
  if (state === 'in-progress') {
    const { leaseUntil } = record as Claimed;
    const until = new Date(leaseUntil).toISOString();
    throw new IdempotencyError('CONFLICT', `a run holds the key until ${until}`, { id, leaseUntil });
  }
}

/** The record as a run leaves it that has done nothing. */
function forgotten(
  { id, identity, source, version, attempt, claimedAt, retention }: IdempotencyRecord,
  now: number,
): IdempotencyRecord {
  const kept = retention ?? environment.retention() ?? DEFAULT_RETENTION_MS;
  const expiresAt = seconds(now + kept);
  return {
    id,
    identity,
    status: 'IN_PROGRESS',
    version: version + 1,
    attempt,
    source,
    claimedAt,
    steps: {},
    expiresAt,
  };
}
