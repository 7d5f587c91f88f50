import { isIdempotencyError } from '../core/errors.ts';

/** Whether a service was down, throttled or silent: the same request may succeed later. */
export function isOutage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if (isIdempotencyError(error)) return error.retryable;
  const { name, code, status, statusCode, response, $metadata, $retryable, cause } = error as Marks;
  const isDown = [status, statusCode, response?.status, $metadata?.httpStatusCode].some(isPassing);
  const isMarked = $retryable !== undefined || THROTTLED.test(String(name)) || UNREACHABLE.test(String(code));
  return isDown || isMarked || isOutage(cause);
}

/** As HTTP clients and the AWS SDK mark their errors. */
interface Marks {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly response?: { readonly status?: unknown };
  readonly $metadata?: { readonly httpStatusCode?: unknown };
  /** Set by the SDK on what it takes for passing: throttling, among others. */
  readonly $retryable?: object;
  /** Of `fetch` the error of its connection. */
  readonly cause?: unknown;
}

function isPassing(status: unknown): boolean {
  return status === 408 || status === 429 || Number(status) >= 500;
}

const THROTTLED = /throttl|TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded|SlowDown|^TimeoutError$/i;
const UNREACHABLE = /^(ECONN|ETIMEDOUT|EPIPE|EAI_AGAIN|ENOTFOUND|UND_ERR)/;
