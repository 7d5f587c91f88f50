import { IdempotencyError, isIdempotencyError, isInDoubt } from './errors.ts';
import { type Call, intercepted, type Store } from './store.ts';

/** Ms before the deadline that are kept for the answer. */
export const RESERVE_MS = 500;

/** How long a claim is tried again: nothing has happened yet, and its caller can come back. */
const CLAIM_MS = 2_000;

/** How long one try may take. */
const MOST_MS = 10_000;
const LEAST_MS = 250;

/** Whose calls a store answers. A poll comes again in any case. Of a claim nothing has happened. A run has had its effect. */
export type Phase = 'poll' | 'claim' | 'run';

/**
 * A store that answers in time; `remaining`: ms until the deadline. A try that takes more than half of that (at most 10 s) is given
 * up. Transient failures are tried again: in a run until the reserve for the answer, in a claim during a quarter of what remains, at
 * most 2 s for all its calls. Then `STORE_UNAVAILABLE` is thrown, which is `isUnwritten` only if every try was. The signal of a call
 * ends it at once.
 */
export function patient(store: Store, remaining: () => number, phase: Phase): Store {
  const leftOfClaim = phase === 'claim' ? countdown(patienceFor(phase, remaining())) : undefined;
  return intercepted(store, (call, send, signal) => {
    const left = leftOfClaim ?? countdown(patienceFor(phase, remaining(), reserves(call)));
    const attempt: Attempt<any> = (failed) => inTime(send, remaining(), signal, failed);
    return attempt((first) => retried(first, call, attempt, left, signal));
  });
}

/** One try. `failed`: what becomes of its error. */
type Attempt<T> = (failed: (error: unknown) => Promise<T>) => Promise<T>;

/** What a call answers whose first try has met an error. */
async function retried<T>(
  first: unknown,
  call: Call,
  attempt: Attempt<T>,
  left: () => number,
  signal: AbortSignal | undefined,
): Promise<T> {
  let last: IdempotencyError | undefined;
  let mayBeWritten = false;
  const failed = (error: unknown): IdempotencyError => {
    last = failureOf(error, last);
    mayBeWritten ||= 'write' in call && isInDoubt(last);
    return last;
  };
  const next = () => attempt((error) => Promise.reject(failed(error)));
  try {
    const answer = await again(failed(first), next, isTransient, left, signal);
    if (mayBeWritten && isRefusal(answer)) throw answer.refusal;
    return answer;
  } catch (error) {
    throw mayBeWritten ? inDoubt(error) : error;
  }
}

/** Ms for which transient failures are tried again; `reserves`: how many requests must still have their time after it. */
export function patienceFor(phase: Phase, left: number, reserves = 1): number {
  if (phase === 'poll') return 0;
  if (phase === 'claim') return Math.min(left / 4, CLAIM_MS);
  return (left === Number.POSITIVE_INFINITY ? MOST_MS : left) - reserves * RESERVE_MS;
}

/** After a body is kept, its record must still be written. */
function reserves({ to }: Call): number {
  return to === 'keep' ? 2 : 1;
}

/** Tries again while that may help, for so many ms, after pauses that grow. */
export async function persistently<T>(
  attempt: () => Promise<T>,
  mayHelp: (error: unknown) => boolean,
  ms: number,
  signal?: AbortSignal,
): Promise<T> {
  const left = countdown(ms);
  try {
    return await attempt();
  } catch (error) {
    return again(error, attempt, mayHelp, left, signal);
  }
}

/** The same after a first try, which has met `error`. */
async function again<T>(
  error: unknown,
  attempt: () => Promise<T>,
  mayHelp: (error: unknown) => boolean,
  left: () => number,
  signal?: AbortSignal,
): Promise<T> {
  let last = error;
  for (let longest = 50; ; longest = Math.min(2 * longest, 1_000)) {
    const ms = left();
    if (!mayHelp(last) || signal?.aborted || ms <= 0) throw last;
    await paused(Math.min(ms, longest * (0.5 + Math.random() / 2)));
    if (signal?.aborted) throw last;
    try {
      return await attempt();
    } catch (next) {
      last = next;
    }
  }
}

export function paused(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Ms left of so many, by whichever clock says less: one may be set back, the other stands still while a process is frozen. */
function countdown(ms: number): () => number {
  const [wall, steady] = [Date.now(), performance.now()];
  return () => ms - Math.max(Date.now() - wall, performance.now() - steady);
}

/** One try, given up after half of what is left. `failed`: what becomes of an error. */
export function inTime<T>(
  send: (signal: AbortSignal) => Promise<T>,
  left: number,
  signal?: AbortSignal,
  failed: (error: unknown) => Promise<T> = (error) => Promise.reject(error),
): Promise<T> {
  const ms = Math.round(Math.min(MOST_MS, Math.max(LEAST_MS, left / 2)));
  return new Promise((resolve) => {
    const gone = new AbortController();
    let isOver = false;
    const end = (): void => {
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    const giveUp = (): void => {
      end();
      const error = new IdempotencyError('STORE_UNAVAILABLE', `no answer within ${ms} ms`, { isPassing: true });
      // The last to hear of it: a test's store that plays dead stops the event before.
      gone.signal.addEventListener('abort', () => resolve(failed(error)));
      gone.abort(error);
    };
    const timer = setTimeout(giveUp, ms);
    signal?.addEventListener('abort', giveUp);
    const lost = (error: unknown): void => {
      if (isOver) return; // it was given up, and has failed since
      end();
      resolve(failed(error));
    };
    try {
      send(gone.signal).then((answer) => {
        end();
        resolve(answer);
      }, lost);
    } catch (error) {
      lost(error);
    }
  });
}

/** `last`: what the try before has met; the cause of having got no answer. */
function failureOf(error: unknown, last: IdempotencyError | undefined): IdempotencyError {
  if (!isIdempotencyError(error))
    return new IdempotencyError('STORE_UNAVAILABLE', 'the store failed', { cause: error });
  const cause = error.cause ?? last?.cause;
  return cause === error.cause ? error : new IdempotencyError(error.code, error.message, { ...error, cause });
}

/** Whether a store says of its error that trying again may help. */
export function isTransient(error: unknown): boolean {
  return (error as IdempotencyError | undefined)?.isPassing === true;
}

// Only what may be written has an answer that is asked this.
function isRefusal(answer: any): answer is { readonly refusal: unknown } {
  return 'refusal' in answer;
}

// A later try that is refused says nothing of an earlier one that got no answer.
function inDoubt(error: unknown): IdempotencyError {
  if (isIdempotencyError(error) && isInDoubt(error)) return error;
  const cause = isIdempotencyError(error) ? (error.cause ?? error) : error;
  return new IdempotencyError('STORE_UNAVAILABLE', 'an earlier try may have been written', { cause });
}
