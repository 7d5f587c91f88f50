import { isIdempotencyError } from '../core/errors.ts';
import { type Outcome, withoutBody } from '../core/record.ts';
import type { Place, Store } from '../core/store.ts';

/** The outcome as its record keeps it. A body that cannot be kept apart is kept in the `room` of the record, or lost. */
export function fitted(store: Store, outcome: Outcome, place: Place, room: number): Outcome | Promise<Outcome> {
  const { keep, keepsBelow = -1 } = store;
  if (!keep || Buffer.byteLength(outcome.body ?? '') <= Math.min(keepsBelow, place.inline ?? keepsBelow))
    return outcome;
  return keep(outcome, place).catch((error) =>
    keep(outcome, { ...place, room }).catch(() => withoutBody(outcome, `it could not be written: ${causeOf(error)}`)),
  );
}

// Told to callers: of an error that is not ours its name, without its text.
function causeOf(error: unknown): string {
  if (!isIdempotencyError(error)) return error instanceof Error ? error.name : 'the store failed';
  return error.cause === undefined ? error.message : causeOf(error.cause);
}
