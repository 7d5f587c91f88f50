import { IdempotencyError, isIdempotencyError } from './errors.ts';
import type { Store } from './store.ts';

const MOST_MS = 10_000;
const LEAST_MS = 250;

/**
 * A store that always answers in time: whatever takes more than half of what is left (at most 10 s) ends with
 * `STORE_UNAVAILABLE`, and so does whatever else goes wrong below. `stop` ends it at once.
 */
export function patient(store: Store, remaining: () => number, stop?: AbortSignal): Store {
  const within = async <T>(operate: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const ms = Math.min(MOST_MS, Math.max(LEAST_MS, remaining() / 2));
    const gone = new AbortController();
    const giveUp = (): void =>
      gone.abort(new IdempotencyError('STORE_UNAVAILABLE', `the store did not answer within ${ms} ms`));
    const timer = setTimeout(giveUp, ms);
    stop?.addEventListener('abort', giveUp);
    try {
      return await Promise.race([operate(gone.signal), aborted(gone.signal)]);
    } catch (cause) {
      if (isIdempotencyError(cause)) throw cause;
      throw new IdempotencyError('STORE_UNAVAILABLE', 'the store failed', { cause });
    } finally {
      clearTimeout(timer);
      stop?.removeEventListener('abort', giveUp);
    }
  };
  const { transact, load } = store;
  return {
    insert: (next) => within((signal) => store.insert(next, signal)),
    replace: (seen, next) => within((signal) => store.replace(seen, next, signal)),
    update: (held, change) => within((signal) => store.update(held, change, signal)),
    ...(transact && {
      transact: (write, writes) => within((signal) => transact(write, writes, signal)),
    }),
    ...(load && { load: (outcome) => within((signal) => load(outcome, signal)) }),
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}
