import { IdempotencyError, isIdempotencyError } from './errors.ts';
import { intercepted, type Store } from './store.ts';

/** Ms before the deadline that are kept for the answer. */
export const RESERVE_MS = 500;

/** How long a claim is tried again: nothing has happened yet, and its caller can come back. */
const CLAIM_MS = 2_000;

/** How long one try may take. */
const MOST_MS = 10_000;
const LEAST_MS = 250;

/** Ms until the deadline. */
type Remaining = () => number;

/**
 * What may be lost: of a claim nothing has happened, and a poll comes again; a run has had its effect; a body has a record that
 * is written after it.
 */
export type Phase = 'poll' | 'claim' | 'body' | 'run';

/**
 * A store that answers in time. A try that takes more than half of what remains (at most 10 s) is given up. What may pass is tried
 * again: in a run until the reserve for the answer, for a claim during a quarter of what remains, at most 2 s. Then it fails with
 * `STORE_UNAVAILABLE`, which is `isUnwritten` only if every try was. The signal of a call ends it at once.
 */
export function patient(store: Store, remaining: Remaining, phase: Exclude<Phase, 'body'>): Store {
  return intercepted(store, async (call, send, signal) => {
    let last: IdempotencyError | undefined;
    let mayBeWritten = false;
    const attempt = () =>
      inTime(send, remaining(), signal).catch((error) => {
        last = failureOf(error, last);
        mayBeWritten ||= last.retryable && !last.isUnwritten;
        throw last;
      });
    const ms = patienceFor(call.to === 'keep' ? 'body' : phase, remaining());
    const answer = await persistently(attempt, () => last?.isPassing === true, ms, signal).catch((error) => {
      throw mayBeWritten ? inDoubt(error) : error;
    });
    if (mayBeWritten && isRefusal(answer)) throw inDoubt(answer.refusal);
    return answer;
  });
}

/** Tries again what heals, after pauses that grow, for so many ms by either clock: one may be set back meanwhile. */
export async function persistently<T>(
  attempt: () => Promise<T>,
  heals: (error: unknown) => boolean,
  ms: number,
  signal?: AbortSignal,
): Promise<T> {
  const [wall, steady] = [Date.now(), performance.now()];
  const spent = (): number => Math.max(Date.now() - wall, performance.now() - steady);
  for (let longest = 50; ; longest = Math.min(2 * longest, 1_000)) {
    try {
      return await attempt();
    } catch (error) {
      const pause = longest * (0.5 + Math.random() / 2);
      if (!heals(error) || signal?.aborted || spent() + pause >= ms) throw error;
      await paused(pause);
      if (signal?.aborted) throw error;
    }
  }
}

export function paused(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Ms for which what heals is tried again. */
export function patienceFor(phase: Phase, left: number): number {
  if (phase === 'poll') return 0;
  if (phase === 'claim') return Math.min(left / 4, CLAIM_MS);
  const all = left === Number.POSITIVE_INFINITY ? MOST_MS : left;
  return all - (phase === 'body' ? 2 : 1) * RESERVE_MS;
}

/** One try, given up after half of what is left. */
export async function inTime<T>(
  send: (signal: AbortSignal) => Promise<T>,
  left: number,
  signal?: AbortSignal,
): Promise<T> {
  const ms = Math.min(MOST_MS, Math.max(LEAST_MS, left / 2));
  const gone = new AbortController();
  const giveUp = (): void => {
    gone.abort(new IdempotencyError('STORE_UNAVAILABLE', `no answer within ${ms} ms`, { isPassing: true }));
  };
  const timer = setTimeout(giveUp, ms);
  signal?.addEventListener('abort', giveUp);
  try {
    return await Promise.race([send(gone.signal), aborted(gone.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/** `last`: what the try before has met; the cause of having got no answer. */
function failureOf(error: unknown, last: IdempotencyError | undefined): IdempotencyError {
  if (!isIdempotencyError(error))
    return new IdempotencyError('STORE_UNAVAILABLE', 'the store failed', { cause: error });
  const cause = error.cause ?? last?.cause;
  return cause === error.cause ? error : new IdempotencyError(error.code, error.message, { ...error, cause });
}

function isRefusal(answer: unknown): answer is { readonly refusal: unknown } {
  return typeof answer === 'object' && answer !== null && 'refusal' in answer;
}

// A later try that is refused says nothing of an earlier one that got no answer.
function inDoubt(cause: unknown): IdempotencyError {
  if (isIdempotencyError(cause) && cause.retryable && !cause.isUnwritten) return cause;
  return new IdempotencyError('STORE_UNAVAILABLE', 'an earlier try may have been written', { cause });
}
