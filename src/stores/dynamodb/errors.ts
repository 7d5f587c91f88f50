import type { CancellationReason, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { IdempotencyError } from '../../core/errors.ts';

/** Errors and cancellation reasons of contention: nothing was written, and the request may be sent again. */
const CONTENDED = new Set([
  'TransactionConflictException',
  'ReplicatedWriteConflictException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

/** Errors that no retry can mend, and a hint for each. */
const MISCONFIGURED: Record<string, string> = {
  ResourceNotFoundException: 'does not exist in the region and account of this client',
  ValidationException:
    'does not have the key schema of IdempotencyTable: partition key "id", a string, and no sort key',
  AccessDeniedException:
    'may not be used with these permissions: IdempotencyTable.grantIdempotency gives them, and if it names `scopes`, this scope must be one of them',
  UnrecognizedClientException: 'may not be used with these credentials',
};

/** Errors of a client that lacks something. A provider of credentials that failed is none: it may be there again. */
const MISSING: readonly (readonly [sign: RegExp, hint: string])[] = [
  [/Region is missing/, 'cannot be used without a region'],
  [/could not load credentials/i, 'cannot be used without credentials'],
];

/** An error of DynamoDB as an error of the port. */
export function storeError(cause: unknown, tableName: string): IdempotencyError {
  if (cause instanceof IdempotencyError) return cause;
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'ValidationException' && !/key/i.test(String(cause))) {
    return new IdempotencyError('CONFIG_INVALID', `table "${tableName}" refused what was written: ${cause}`, { cause });
  }
  const hint = MISCONFIGURED[name] ?? MISSING.find(([sign]) => sign.test(String(cause)))?.[1];
  if (hint) return new IdempotencyError('CONFIG_INVALID', `table "${tableName}" ${hint}`, { cause });
  const isContended = isContention(cause);
  const what = isContended ? 'is throttled, or contended for' : 'could not be reached';
  const isUnwritten = isContended || isRefused(cause) || isUnsent(cause);
  return new IdempotencyError('STORE_UNAVAILABLE', `table "${tableName}" ${what}: ${cause}`, {
    cause,
    isPassing: true,
    isUnwritten,
  });
}

/** Whether a table cannot be asked this way: by permissions, or as its engine does not know the request. */
export function isUnusable(cause: unknown): boolean {
  return cause instanceof Error && /^(AccessDenied|UnknownOperation|Validation)Exception$/.test(cause.name);
}

const UNSENT = new WeakSet<object>();

/** Marks an error of a request that was never sent. */
export function unsent(error: unknown): unknown {
  if (error instanceof Error) UNSENT.add(error);
  return error;
}

export function isUnsent(error: unknown): boolean {
  return error instanceof Error && UNSENT.has(error);
}

function isContention(error: unknown): boolean {
  return error instanceof Error && (CONTENDED.has(error.name) || isConflict(error));
}

// Of a status of 5xx, and of no answer, nobody knows.
function isRefused(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500;
}

/** Whether other writers cancelled the transaction, and not a condition of ours, which no retry would mend. */
export function isConflict(error: unknown): boolean {
  const reasons = reasonsOf(error);
  return reasons[0]?.Code !== 'ConditionalCheckFailed' && reasons.some(({ Code = '' }) => CONTENDED.has(Code));
}

/** The cancellation reasons of a transaction, one for each write. */
export function reasonsOf(error: unknown): CancellationReason[] {
  const isCancelled = error instanceof Error && error.name === 'TransactionCanceledException';
  return (isCancelled && (error as TransactionCanceledException).CancellationReasons) || [];
}
