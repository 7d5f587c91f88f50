import { codeOf, IdempotencyError, withRecord } from '../core/errors.ts';
import type { EndEvent } from '../core/events.ts';
import type { Completed } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import type { Content, Opened, Outcomes, RecordContext } from '../values/outcome.ts';
import type { Arrival } from './arrival.ts';

/** What an arrival is answered. */
export interface Answer {
  /** It comes from the record, not from this run. */
  readonly isReplayed: boolean;
  /** It was committed: later middlewares may not change it. */
  readonly isFinal: boolean;
  /** The value, at once or as a promise; throws the error that is on record, or `RESULT_UNAVAILABLE`. */
  readonly open: () => unknown;
  /** For a caller that reads no value: the terminal error on record, if it is one. Throws what keeps it from being done. */
  readonly acknowledge: () => Promise<Recorded | undefined>;
}

/** A terminal error that is on record. */
interface Recorded {
  readonly error: unknown;
  /** Of another run, which has recorded it. */
  readonly attempt?: number;
}

/** The answer that a run made itself. */
export function own(value: unknown, isFinal = false): Answer {
  return { isReplayed: false, isFinal, open: () => value, acknowledge: async () => undefined };
}

/** The answer of a run whose error is on record. */
export function ownError(error: unknown): Answer {
  const open = (): never => {
    throw error;
  };
  return { isReplayed: false, isFinal: false, open, acknowledge: async () => ({ error }) };
}

/** The answer of a run whose value is no outcome: a retry is to run again. */
export function unrecorded(value: unknown): Answer {
  const acknowledge = async (): Promise<never> => {
    throw new Error('the return value of the handler is no outcome');
  };
  return { ...own(value), acknowledge };
}

/** What is needed to load and open an outcome. */
export interface Reader extends RecordContext {
  readonly store: Store;
  readonly outcomes: Outcomes;
}

/** And to answer a duplicate with it. */
export interface Replayer extends Reader {
  readonly arrival: Pick<Arrival, 'replay' | 'isReplayWatched'>;
}

/** The outcome on record, loaded when it is opened. `tell` is called once: without a refusal, or with the reason for one. */
export function recorded(
  { outcome, attempt }: Pick<Completed, 'outcome' | 'attempt'>,
  { id, remaining, store, outcomes, arrival }: Replayer,
  tell: (refusal?: unknown) => void,
): Answer {
  const load = (): Promise<Opened> => outcomes.load(store, outcome, { id, remaining });

  const refuse = (error: unknown): never => {
    const refusal = withRecord(error, id);
    tell(refusal);
    throw refusal;
  };
  const content = (opened: Opened): Content => {
    if ('unavailable' in opened) {
      const why = `done, but the value was not kept: ${opened.unavailable}`;
      return refuse(new IdempotencyError('RESULT_UNAVAILABLE', why, { id }));
    }
    tell();
    return opened;
  };

  const open = async (): Promise<unknown> => {
    const opened = content(await load().catch(refuse));
    if ('error' in opened) throw opened.error;
    return arrival.replay(opened.value, attempt);
  };

  const acknowledge = async (): Promise<Recorded | undefined> => {
    if (outcome.kind === 'error') return { ...(content(await load().catch(refuse)) as Recorded), attempt };
    tell();
    if (!arrival.isReplayWatched) return undefined;
    const opened = await load().catch(() => undefined); // it is done, whether or not its value can be had
    if (opened && 'value' in opened) await arrival.replay(opened.value, attempt);
    return undefined;
  };

  return { isReplayed: true, isFinal: false, open, acknowledge };
}

/** The outcome of the run that took this one over, or won the race against it. */
export function adopted(
  winner: Pick<Completed, 'outcome' | 'attempt'>,
  replayer: Replayer,
  tell: (end: EndEvent) => void,
): Answer {
  return recorded(winner, replayer, (refusal) =>
    tell(refusal ? { type: 'lost', code: codeOf(refusal) } : { type: 'adopted' }),
  );
}

/** The refusal of a claim, or of an atomic commit, by the record in the way. */
export function claimRefusal(
  {
    kind,
    leaseUntil,
  }: { readonly kind: 'conflict' | 'mismatch' | 'unknown'; readonly leaseUntil?: number | undefined },
  { id, words }: Pick<Arrival, 'id' | 'words'>,
): IdempotencyError {
  switch (kind) {
    case 'conflict':
      return new IdempotencyError('CONFLICT', `a run with this key is in flight: ${words.conflict}`, {
        id,
        leaseUntil,
      });
    case 'mismatch':
      return new IdempotencyError('MISMATCH', `this key was used with ${words.mismatch}`, { id });
    case 'unknown':
      return new IdempotencyError('OUTCOME_UNKNOWN', UNKNOWN, { id });
  }
}

const UNKNOWN = 'a run was lost, and whether its effect happened is not known: an operator decides it with `resolve`';
