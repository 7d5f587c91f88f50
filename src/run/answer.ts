import { codeOf, IdempotencyError } from '../core/errors.ts';
import type { EndEvent } from '../core/events.ts';
import type { Outcome } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import type { Outcomes, RecordContext } from '../values/outcome.ts';

/** What an arrival is answered. */
export interface Answer {
  /** It comes from the record, not from this run. */
  readonly isReplayed: boolean;
  /** It was committed: later middlewares may not change it. */
  readonly isFinal: boolean;
  /** The value; throws the error that is on record, or `RESULT_UNAVAILABLE`. */
  readonly open: () => Promise<unknown>;
  /** For a caller that reads no value: only an error is opened, and thrown. */
  readonly acknowledge: () => Promise<void>;
}

/** The answer that a run made itself. */
export function own(value: unknown, isFinal = false): Answer {
  return { isReplayed: false, isFinal, open: async () => value, acknowledge: async () => {} };
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

/** The outcome on record, loaded when it is opened. `tell` is called once: without a refusal, or with the reason for one. */
export function recorded(
  outcome: Outcome,
  { id, remaining, store, outcomes }: Reader,
  tell: (refusal?: unknown) => void,
): Answer {
  const open = async (): Promise<unknown> => {
    const refuse = (refusal: unknown): never => {
      tell(refusal);
      throw refusal;
    };
    const opened = await outcomes.load(store, outcome, { id, remaining }).catch(refuse);
    if ('unavailable' in opened) {
      const why = `done, but the value was not kept: ${opened.unavailable}`;
      return refuse(new IdempotencyError('RESULT_UNAVAILABLE', why, { id }));
    }
    tell();
    if ('error' in opened) throw opened.error;
    return opened.value;
  };
  return {
    isReplayed: true,
    isFinal: false,
    open,
    acknowledge: async () => void (outcome.kind === 'error' ? await open() : tell()),
  };
}

/** The outcome of the run that took this one over, or won the race against it. */
export function adopted(outcome: Outcome, reader: Reader, tell: (end: EndEvent) => void): Answer {
  return recorded(outcome, reader, (refusal) =>
    tell(refusal ? { type: 'lost', code: codeOf(refusal) } : { type: 'adopted' }),
  );
}

const REFUSALS = {
  conflict: ['CONFLICT', 'a request with this key is in flight'],
  mismatch: ['MISMATCH', 'this key was used with another payload'],
  unknown: ['OUTCOME_UNKNOWN', 'whether the effect of a lost run happened is not known'],
} as const;

/** The refusal of a claim, or of an atomic commit, by the record in the way. */
export function claimRefusal({ kind }: { readonly kind: keyof typeof REFUSALS }, id: string): IdempotencyError {
  const [code, message] = REFUSALS[kind];
  return new IdempotencyError(code, message, { id });
}
