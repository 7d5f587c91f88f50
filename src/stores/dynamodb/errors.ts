import { setTimeout as sleep } from 'node:timers/promises';
import type { CancellationReason, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { IdempotencyError } from '../../core/errors.ts';

/** Errors and cancellation reasons of contention: nothing was written, and the request may be sent again at once. */
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
  AccessDeniedException: 'may not be used with these permissions; IdempotencyTable.grantIdempotency gives them',
  UnrecognizedClientException: 'may not be used with these credentials',
  InvalidSignatureException: 'may not be used with these credentials',
  CredentialsProviderError: 'cannot be used without credentials',
};

/** An error of DynamoDB as an error of the port. */
export function storeError(cause: unknown, tableName: string): IdempotencyError {
  if (cause instanceof IdempotencyError) return cause;
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'ValidationException' && !/key/i.test(String(cause))) {
    return new IdempotencyError('CONFIG_INVALID', `table "${tableName}" refused what was written: ${cause}`, { cause });
  }
  const hint =
    MISCONFIGURED[name] ??
    (String(cause).includes('Region is missing') ? 'cannot be used without a region' : undefined);
  if (hint) return new IdempotencyError('CONFIG_INVALID', `table "${tableName}" ${hint}`, { cause });
  return new IdempotencyError('STORE_UNAVAILABLE', `table "${tableName}" could not be reached: ${cause}`, { cause });
}

/** Retries contention with full jitter. The SDK retries throttling only briefly, and write conflicts not at all. */
export async function persistently<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const isContended = error instanceof Error && (CONTENDED.has(error.name) || isConflict(error));
      if (!isContended || tries === 10 || signal?.aborted) throw error;
      await sleep(Math.random() * Math.min(1_000, 25 * 2 ** tries), undefined, signal && { signal }).catch(() => {
        throw error;
      });
    }
  }
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
