import { IdempotencyError, isIdempotencyError } from '../core/errors.ts';
import { type Phase, patient } from '../core/patience.ts';
import { intercepted, type Store } from '../core/store.ts';

/** The store as operators ask it: for up to `ms`, and with a sentence of theirs for what they may not do. */
export function forOperators(store: Store, ms = 10_000, phase: Phase = 'claim'): Store {
  return intercepted(
    patient(store, () => ms, phase),
    async (_, send, signal) => {
      try {
        return await send(signal);
      } catch (error) {
        throw isDenied(error) ? denied(error) : error;
      }
    },
  );
}

/** Whether a permission is missing. */
export function isDenied(error: unknown): error is IdempotencyError & { readonly cause: Error } {
  return isIdempotencyError(error) && error.cause instanceof Error && error.cause.name === 'AccessDeniedException';
}

/** The cause names the permission. What the store says is meant for functions. */
function denied({ cause }: { readonly cause: Error }): IdempotencyError {
  const message = `a permission is missing, which IdempotencyTable.grantOperate gives: ${cause.message}`;
  return new IdempotencyError('CONFIG_INVALID', message, { cause });
}
