import { IdempotencyError, type IdempotencyErrorCode, isIdempotencyError, isTerminalError } from '../core/errors.ts';
import { sourceOf } from '../sources/all.ts';
import { batchOf, isBatch } from '../sources/batch/index.ts';
import { type Identifier, isOfKafka } from '../sources/batch/source.ts';

/** What a delivery ended with. */
export type Delivered = { readonly value: unknown } | { readonly error: unknown } | 'died';

/** What becomes of it: `again` comes with the event that its sender sends next. */
export type Reaction =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'again'; readonly event: unknown };

/** As the sender of the event sees it: Lambda's queues and streams, or an HTTP client. */
export function reactionTo(event: unknown, delivered: Delivered): Reaction {
  const again = { kind: 'again', event } as const;
  if (delivered === 'died') return again;
  if ('error' in delivered) {
    const { error } = delivered;
    if (isBatch(event)) return again;
    if (isTerminalError(error)) return { kind: 'done' };
    return isIdempotencyError(error) && !error.retryable ? { kind: 'refused' } : again;
  }
  const { value } = delivered;
  const failed = failuresIn(value);
  if (failed && isBatch(event)) {
    const left = redelivered(event, failed);
    return left ? { kind: 'again', event: left } : { kind: 'done' };
  }
  const code = problemIn(value);
  if (code) return new IdempotencyError(code, '').retryable ? again : { kind: 'refused' };
  return sourceOf(event).isOutcome(value) ? { kind: 'done' } : again;
}

function failuresIn(value: unknown): readonly Identifier[] | undefined {
  const { batchItemFailures } = (value ?? {}) as { batchItemFailures?: { itemIdentifier: Identifier }[] };
  return Array.isArray(batchItemFailures) ? batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) : undefined;
}

/** The event with those of its records that come again; undefined: none does. */
function redelivered(event: unknown, failed: readonly Identifier[]): unknown {
  const { source, records, identifiers } = batchOf<object>(event);
  const again = new Set(records.filter((record) => source?.comesAgain(identifiers.get(record) ?? '', failed)));
  const left = (list: readonly unknown[]) => list.filter((record) => again.has(record as object));
  if (again.size === 0) return undefined;
  if (!isOfKafka(event)) return { ...(event as object), Records: left(records) };
  const lists = Object.entries(event.records).map(([name, list]) => [name, left(list)] as const);
  return { ...event, records: Object.fromEntries(lists.filter(([, list]) => list.length > 0)) };
}

/** The code of a refusal that a way in has answered itself. */
function problemIn(value: unknown): IdempotencyErrorCode | undefined {
  const { body } = (value ?? {}) as { body?: unknown };
  if (typeof body !== 'string' || !body.includes('"urn:effectively-once:')) return undefined;
  return JSON.parse(body).code;
}
