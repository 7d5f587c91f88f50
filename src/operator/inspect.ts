import { misuse } from '../core/errors.ts';
import { present } from '../core/present.ts';
import type { ErrorBrief, IdempotencyRecord, Outcome, WithBody } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import { toItem } from '../stores/dynamodb/item.ts';
import { itemBytes } from '../stores/dynamodb/size.ts';
import type { Codec } from '../values/codec.ts';
import { type Opened, outcomesOf } from '../values/outcome.ts';
import { forOperators } from './for-operators.ts';
import { type Listed, listedOf } from './glance.ts';
import { idIn } from './record-id.ts';
import { STATES, type State } from './state.ts';

/** All that is known of a record. */
export interface Inspection extends Listed {
  /** Its state in words. */
  readonly means: string;
  readonly fingerprint?: string;
  /** Whether a `commit` has recorded the outcome, together with writes. */
  readonly isCommit: boolean;
  /** Of a record in progress: what its steps, and those of the attempts before it, ended with; by name. */
  readonly steps?: Readonly<Record<string, Ended>>;
  readonly outcome?: Ended;
  /** What the record weighs, without what is kept apart. */
  readonly bytes: number;
}

/** What a run or a step ended with. */
export type Ended = {
  /** `json`, `v8` (Node's structured clone), or the name of a codec of yours. Absent: there was no value to encode. */
  readonly codec?: string;
  /** Of the body as it is in the record; absent: there is none, or it is kept apart. */
  readonly bytes?: number;
  /** Present: the body is kept apart, in so many items. */
  readonly apart?: { readonly items: number };
} & (
  | {
      readonly kind: 'value';
      readonly value: unknown /** The value is the answer to it. */;
      readonly error?: ErrorBrief;
    }
  /** With the other members of the error, as far as they were kept. */
  | { readonly kind: 'error'; readonly error: ErrorBrief & { readonly [member: string]: unknown } }
  /** Done, and there is no value to show. */
  | { readonly kind: 'unavailable'; readonly why: string; readonly error?: ErrorBrief }
);

/**
 * Says all that is known of a record: its state, times, steps while it is in progress, its outcome. Nothing is written. `instance`: the
 * record's id, or what problem details have under that name. `codec`: that of the function; of values of another one only sizes are told.
 *
 * Throws `IdempotencyError`: `MISUSE` if there is no such record, and on a store without `read`; `CONFIG_INVALID` for a record of another tool or a
 * later version, and where there is no table or no permission; `STORE_UNAVAILABLE`.
 *
 * @example
 * const { state, means, steps } = await inspect(dynamoDBStore(), recordId({ scope: 'charge', key: 'order-1' }));
 */
export async function inspect(
  store: Store,
  instance: string,
  { codec }: { readonly codec?: Codec } = {},
): Promise<Inspection> {
  const patientStore = forOperators(store);
  const record = await recordOf(patientStore, idIn(instance));
  const { id } = record;
  const outcomes = outcomesOf(codec);
  const ended = async (outcome: Outcome): Promise<Ended> => {
    // That its codec is down must not hide the rest.
    const opened = outcomes.load(patientStore, outcome, { id, remaining }).catch(
      ({ message }): Opened => ({
        unavailable: message,
      }),
    );
    return endedOf(outcome, await opened);
  };
  // In the order of their names: a map of DynamoDB has none.
  const steps =
    record.status === 'COMPLETED'
      ? undefined
      : Object.entries(record.steps).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const shown = steps && (await Promise.all(steps.map(async ([name, step]) => [name, await ended(step)] as const)));
  const listed = listedOf(record, Date.now());
  return present({
    ...listed,
    means: meaningOf(record, listed.state),
    fingerprint: record.fingerprint,
    isCommit: record.status === 'COMPLETED' && record.commit !== undefined,
    steps: shown && Object.fromEntries(shown),
    outcome: record.status === 'COMPLETED' ? await ended(record.outcome) : undefined,
    bytes: itemBytes(toItem(record)),
  }) as Inspection;
}

const remaining = (): number => 10_000;

function meaningOf(record: IdempotencyRecord, state: State): string {
  const isKept = record.status !== 'COMPLETED' || record.outcome.kind !== 'unavailable';
  return isKept || state === 'expired'
    ? STATES[state]
    : 'done, but its value could not be kept: duplicates get RESULT_UNAVAILABLE (410)';
}

/** The record as it is now; throws `MISUSE` if there is none. */
export async function recordOf({ read }: Store, id: string): Promise<IdempotencyRecord> {
  if (!read) throw misuse('this store cannot be read');
  const record = await read(id);
  if (record) return record;
  throw misuse(`there is no record "${id}"`);
}

function endedOf(outcome: Outcome, opened: Opened): Ended {
  const { codec, body, stored, error }: Partial<WithBody> = outcome.kind === 'unavailable' ? {} : outcome;
  const isApart = stored?.['at'] !== undefined;
  const about = present({
    codec: codec ?? (isApart || body !== undefined ? 'json' : undefined),
    bytes: body === undefined ? undefined : Buffer.byteLength(body),
    apart: isApart ? { items: Number(stored['chunks']) } : undefined,
    error,
  });
  if ('unavailable' in opened) return { ...about, kind: 'unavailable', why: opened.unavailable } as Ended;
  if ('value' in opened) return { ...about, kind: 'value', value: opened.value } as Ended;
  const { error: thrown } = opened;
  const members =
    thrown instanceof Error ? { ...thrown, name: thrown.name, message: thrown.message } : { value: thrown };
  return { ...about, kind: 'error', error: { ...error, ...members } } as Ended;
}
