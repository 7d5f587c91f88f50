import { isIdempotencyError } from '../core/errors.ts';

/** An error of a service that is down, throttled or silent: the same request may succeed later. */
export function isOutage(error: unknown): error is Error {
  if (isIdempotencyError(error)) return error.retryable;
  if (!(error instanceof Error)) return false;
  const { name, code, status, statusCode, $metadata, $retryable } = error as Error & Marks;
  const isDown = [status, statusCode, $metadata?.httpStatusCode].some(
    (number) => number === 429 || Number(number) >= 500,
  );
  return isDown || $retryable !== undefined || THROTTLED.test(name) || UNREACHABLE.test(String(code));
}

/** As HTTP clients and the AWS SDK mark their errors. */
interface Marks {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  /** Set by the SDK on what it takes for passing: throttling, among others. */
  readonly $retryable?: object;
}

const THROTTLED = /throttl|TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded|SlowDown/i;
const UNREACHABLE = /^(ECONN|ETIMEDOUT|EPIPE|EAI_AGAIN|ENOTFOUND)/;
