import { randomUUID } from 'node:crypto';
import type { Codec } from '../values/codec.ts';
import { durationOf } from '../core/duration.ts';
import { IdempotencyError, misuse } from '../core/errors.ts';
import { patient } from '../core/patience.ts';
import { decideUnknown, type Takeover } from '../core/protocol.ts';
import type { IdempotencyRecord, Outcome, Steps } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import { environment } from '../environment.ts';
import type { Previous, PreviousStep, Verdict } from '../execution.ts';
import type { Settings } from '../options.ts';
import { loaded, type Outcomes, outcomesOf } from '../values/outcome.ts';
import type { Answer, Run } from './claimed.ts';

/** The run of a claim; where it follows one whose outcome is unknown, the user's `onUnknown` has its word first. */
export async function reconciled(
  { onUnknown, store, outcomes }: Pick<Settings, 'onUnknown' | 'store' | 'outcomes'>,
  run: Run,
  takeover: Takeover | undefined,
): Promise<Run | Answer> {
  if (typeof onUnknown !== 'function' || takeover?.from !== 'abandoned') return run;
  try {
    const verdict = await onUnknown(run.execution, await previousOf(takeover.seen, store, outcomes));
    if (run.hasCommitted()) return await run.completed(undefined);
    if (isRerun(verdict)) return run;
    return await run.completed(valueIn(verdict));
  } catch (error) {
    if (run.hasCommitted()) return run.completed(undefined);
    await run.release();
    throw error;
  }
}

/**
 * An operator's word on an unknown outcome: `value` is recorded, `rerun` has the next request run the handler. The `id` is the
 * record's, as `OUTCOME_UNKNOWN` carries it, and `codec` the function's.
 *
 * Throws `IdempotencyError`: `MISUSE` where the outcome is known, in flight or not there, or the word is neither, or the value
 * cannot be kept; `CONFLICT`
 * where the record was changed meanwhile; `CONFIG_INVALID`, `STORE_UNAVAILABLE`.
 */
export async function resolve(
  store: Store,
  id: string,
  verdict: Verdict,
  { codec }: { readonly codec?: Codec } = {},
): Promise<void> {
  const value = isRerun(verdict) ? undefined : outcomesOf(codec).ofValue(valueIn(verdict));
  if (value?.kind === 'unavailable') throw misuse(`the value cannot be kept: ${value.body}`);
  const now = Date.now();
  const retention = environment.retention() ?? durationOf('retention', '24h');
  const patientStore = patient(store, () => Number.POSITIVE_INFINITY);
  const { read } = patientStore;
  if (!read) throw misuse('this store cannot be read');
  const decided = { id, outcome: value, owner: randomUUID(), retention, now };
  const result = await decideUnknown({ ...patientStore, read }, decided);
  if (result === 'known') throw new IdempotencyError('MISUSE', 'there is no unknown outcome to resolve', { id });
  if (result === 'changed') throw new IdempotencyError('CONFLICT', 'the record was changed meanwhile', { id });
}

function isRerun(verdict: Verdict): boolean {
  return typeof verdict === 'object' && verdict !== null && 'rerun' in verdict && verdict.rerun === true;
}

function valueIn(verdict: Verdict): unknown {
  if (typeof verdict === 'object' && verdict !== null && 'value' in verdict) return verdict.value;
  throw misuse('the word on an unknown outcome is { rerun: true } or { value }');
}

async function previousOf(seen: IdempotencyRecord, store: Store, outcomes: Outcomes): Promise<Previous> {
  const { attempt, claimedAt, leaseUntil, steps } = seen as IdempotencyRecord & { leaseUntil: number; steps: Steps };
  const ended = Object.entries(steps).map(async ([name, outcome]) => {
    return [name, previousStep(await loaded(store, outcome), outcomes)] as const;
  });
  return { attempt, claimedAt, leaseUntil, steps: Object.fromEntries(await Promise.all(ended)) };
}

function previousStep(outcome: Outcome, { open }: Outcomes): PreviousStep {
  const gone = new Error();
  try {
    return { value: open(outcome, () => gone) };
  } catch (error) {
    return error === gone ? { unavailable: true } : { error };
  }
}
