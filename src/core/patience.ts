import { IdempotencyError, isIdempotencyError } from './errors.ts';
import { intercepted, type Store } from './store.ts';

const MOST_MS = 10_000;
const LEAST_MS = 250;

/**
 * A store that answers in time. A call that takes more than half of `remaining` (at most 10 s) fails with `STORE_UNAVAILABLE`, and
 * so does one that fails in any unknown way. The signal of a call ends it at once.
 */
export function patient(store: Store, remaining: () => number): Store {
  return intercepted(store, async (_, send, signal) => {
    const ms = Math.min(MOST_MS, Math.max(LEAST_MS, remaining() / 2));
    const gone = new AbortController();
    const giveUp = (): void =>
      gone.abort(new IdempotencyError('STORE_UNAVAILABLE', `the store did not answer within ${ms} ms`));
    const timer = setTimeout(giveUp, ms);
    signal?.addEventListener('abort', giveUp);
    try {
      return await Promise.race([send(gone.signal), aborted(gone.signal)]);
    } catch (cause) {
      if (isIdempotencyError(cause)) throw cause;
      throw new IdempotencyError('STORE_UNAVAILABLE', 'the store failed', { cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
