import { randomUUID } from 'node:crypto';
import { isUnknown } from '../core/decide.ts';
import { seconds } from '../core/duration.ts';
import { IdempotencyError, misuse } from '../core/errors.ts';
import { publish } from '../core/events.ts';
import { decideUnknown } from '../core/protocol.ts';
import type { Claimed, Outcome } from '../core/record.ts';
import type { Place, Store } from '../core/store.ts';
import { DEFAULT_RETENTION_MS, environment } from '../environment.ts';
import type { Verdict } from '../execution.ts';
import { isAnsweredByResponse } from '../sources/all.ts';
import { isResponse } from '../sources/http-response.ts';
import type { Codec } from '../values/codec.ts';
import { outcomesOf } from '../values/outcome.ts';
import { isRerun, valueIn } from '../values/verdict.ts';
import { forOperators } from './for-operators.ts';
import { scopeOf } from './glance.ts';
import { idIn } from './record-id.ts';
import { changedMeanwhile, isSame, type Seen } from './seen.ts';

/**
 * Decides an unknown outcome: `value` is recorded as the outcome; with `rerun` the next request runs the handler. `instance`: the
 * record's id, from the error `OUTCOME_UNKNOWN` or from `recordId`; or what problem details have under that name. `codec`: that of the
 * function. The value of an HTTP operation is a response: `{ statusCode, headers?, body? }`. `seen`: what `inspect` or `list` has shown; if
 * it has changed since, nothing is written.
 *
 * Throws `IdempotencyError`: `MISUSE` if there is no unknown outcome, if the verdict is neither, if the value cannot be kept or is no
 * response where it must be one, and on a store without `read`; `CONFLICT` if the record was changed meanwhile; `CONFIG_INVALID`,
 * `STORE_UNAVAILABLE`.
 *
 * @example
 * await resolve(dynamoDBStore(), 'charge#8f14e45f', { value: { statusCode: 201, body: '{"chargeId":"ch_1"}' } });
 */
export async function resolve(
  store: Store,
  instance: string,
  verdict: Verdict,
  { codec, seen: shown }: { readonly codec?: Codec; readonly seen?: Seen } = {},
): Promise<void> {
  const id = idIn(instance);
  const patientStore = forOperators(store);
  const seen = await unknownIn(patientStore, id, shown);
  const [owner, now] = [randomUUID(), Date.now()];
  const expiresAt = seconds(now + (seen.retention ?? environment.retention() ?? DEFAULT_RETENTION_MS));
  let outcome: Outcome | undefined;
  if (!isRerun(verdict)) {
    const value = valueIn(verdict);
    if (isAnsweredByResponse(seen.source) && !isResponse(value)) throw misuse(RESPONSE);
    const { outcome: whole } = await outcomesOf(codec).ofValue(value, { id, remaining });
    outcome = await kept(patientStore, whole, { id, owner, expiresAt });
  }
  const isDecided = await decideUnknown(patientStore, seen, { outcome, owner, expiresAt, now });
  if (!isDecided) throw changedMeanwhile(id);
  publish({ scope: scopeOf(id), source: 'operator', id }, { type: 'resolved', to: outcome ? 'value' : 'rerun' });
}

const remaining = (): number => 10_000;

const RESPONSE =
  'the value of an HTTP operation is its response: { statusCode: 100 to 599, headers?: { name: value }, body?: text }';

async function unknownIn({ read }: Store, id: string, shown: Seen | undefined): Promise<Claimed> {
  if (!read) throw misuse('this store cannot be read');
  const record = await read(id);
  if (shown && !(record && isSame(record, shown))) throw changedMeanwhile(id);
  if (record && isUnknown(record, Date.now())) return record;
  throw new IdempotencyError('MISUSE', 'there is no unknown outcome to resolve', { id });
}

async function kept(store: Store, whole: Outcome, record: Place['record']): Promise<Outcome> {
  const outcome = (await store.keep?.(whole, { record })) ?? whole;
  if (outcome.kind === 'unavailable') throw misuse(`the value cannot be kept: ${outcome.body}`);
  return outcome;
}
