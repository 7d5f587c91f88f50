import { randomUUID } from 'node:crypto';
import { seconds } from '../core/duration.ts';
import { IdempotencyError, misuse } from '../core/errors.ts';
import { publish } from '../core/events.ts';
import { patient } from '../core/patience.ts';
import { decideUnknown } from '../core/protocol.ts';
import type { Store } from '../core/store.ts';
import { DEFAULT_RETENTION_MS, environment } from '../environment.ts';
import type { Verdict } from '../execution.ts';
import type { Codec } from '../values/codec.ts';
import { outcomesOf } from '../values/outcome.ts';
import { isRerun, valueIn } from '../values/verdict.ts';

/**
 * Decides an unknown outcome: `value` is recorded as the outcome; with `rerun` the next request runs the handler. `id`: the
 * record's, from the error `OUTCOME_UNKNOWN`. `codec`: that of the function.
 *
 * Throws `IdempotencyError`: `MISUSE` if there is no unknown outcome, if the verdict is neither, if the value cannot be kept, and
 * on a store without `read`; `CONFLICT` if the record was changed meanwhile; `CONFIG_INVALID`, `STORE_UNAVAILABLE`.
 *
 * @example
 * await resolve(dynamoDBStore(), 'charge#8f14e45f', { value: { statusCode: 201, body: '{"chargeId":"ch_1"}' } });
 */
export async function resolve(
  store: Store,
  id: string,
  verdict: Verdict,
  { codec }: { readonly codec?: Codec } = {},
): Promise<void> {
  const remaining = (): number => 10_000;
  const value = isRerun(verdict) ? undefined : await outcomesOf(codec).ofValue(valueIn(verdict), { id, remaining });
  const patientStore = patient(store, remaining, 'claim');
  const { read } = patientStore;
  if (!read) throw misuse('this store cannot be read');
  const retention = environment.retention() ?? DEFAULT_RETENTION_MS;
  const [owner, now] = [randomUUID(), Date.now()];
  const record = { id, owner, expiresAt: seconds(now + retention) };
  const outcome = value && ((await patientStore.keep?.(value, { record })) ?? value);
  if (outcome?.kind === 'unavailable') throw misuse(`the value cannot be kept: ${outcome.body}`);
  const decided = { id, outcome, owner, retention, now };
  const result = await decideUnknown({ ...patientStore, read }, decided);
  if (result === 'known') throw new IdempotencyError('MISUSE', 'there is no unknown outcome to resolve', { id });
  if (result === 'changed') throw new IdempotencyError('CONFLICT', 'the record was changed meanwhile', { id });
  const scope = id.slice(0, id.lastIndexOf('#'));
  publish({ scope, source: 'operator', id }, { type: 'resolved', to: outcome ? 'value' : 'rerun' });
}
