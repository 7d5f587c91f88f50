import { IdempotencyError, type IdempotencyErrorCode, isIdempotencyError, isTerminalError } from '../core/errors.ts';
import { sourceOf } from '../sources/all.ts';

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
    if (isTerminalError(error)) return { kind: 'done' };
    return isIdempotencyError(error) && !error.retryable ? { kind: 'refused' } : again;
  }
  const { value } = delivered;
  const failed = failuresIn(value);
  if (failed && isBatch(event)) {
    const Records = event.Records.filter(({ messageId }) => failed.has(messageId));
    return Records.length > 0 ? { kind: 'again', event: { ...event, Records } } : { kind: 'done' };
  }
  const code = problemIn(value);
  if (code) return new IdempotencyError(code, '').retryable ? again : { kind: 'refused' };
  return sourceOf(event).isOutcome(value) ? { kind: 'done' } : again;
}

function failuresIn(value: unknown): Set<unknown> | undefined {
  const { batchItemFailures } = (value ?? {}) as { batchItemFailures?: { itemIdentifier: string }[] };
  return Array.isArray(batchItemFailures)
    ? new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    : undefined;
}

function isBatch(event: unknown): event is { Records: { messageId: string }[] } {
  return Array.isArray((event as { Records?: unknown } | undefined)?.Records);
}

/** The code of a refusal that a way in has answered itself. */
function problemIn(value: unknown): IdempotencyErrorCode | undefined {
  const { body } = (value ?? {}) as { body?: unknown };
  if (typeof body !== 'string' || !body.includes('"urn:effectively-once:')) return undefined;
  return JSON.parse(body).code;
}
