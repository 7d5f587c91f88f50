import type { IdempotencyError, IdempotencyErrorCode } from '../core/errors.ts';
import { type ProxyResponse, withHeaders } from './http-response.ts';

/** RFC 9457 `instance` of a record, before its percent-encoded id. */
export const INSTANCE = 'urn:effectively-once:record:';

/** RFC 9457 `title`; the `type` is made from the code. */
const TITLES: Record<IdempotencyErrorCode, string> = {
  KEY_MISSING: 'Idempotency-Key is missing',
  KEY_INVALID: 'Idempotency-Key is not valid',
  PAYLOAD_INVALID: 'The request has no canonical form',
  CONFLICT: 'A request is outstanding for this Idempotency-Key',
  MISMATCH: 'Idempotency-Key is already used',
  OUTCOME_UNKNOWN: 'Whether the request was processed is not known',
  LEASE_LOST: 'A request is outstanding for this Idempotency-Key',
  RESULT_UNAVAILABLE: 'The request is done, but its response could not be kept',
  STORE_UNAVAILABLE: 'Service unavailable',
  CONFIG_INVALID: 'Internal server error',
  MISUSE: 'Internal server error',
};

/** `application/problem+json` by RFC 9457. Keeps the headers of an earlier answer, CORS among them. */
export function problem(error: IdempotencyError, isMultiValue: boolean, earlier: ProxyResponse = {}): ProxyResponse {
  const { code, statusCode: status, retryAfterMs, id } = error;
  if (status >= 500 || error.cause !== undefined) console.error(error); // the response does not say why
  const type = `urn:effectively-once:${code.toLowerCase().replaceAll('_', '-')}`;
  const detail = status < 500 ? { detail: error.message } : {};
  const isAboutRecord = id !== undefined && status !== 500;
  const instance = isAboutRecord ? { instance: `${INSTANCE}${encodeURIComponent(id)}` } : {};
  const headers = {
    'Content-Type': 'application/problem+json',
    ...(retryAfterMs !== undefined && { 'Retry-After': `${Math.ceil(retryAfterMs / 1000)}` }),
  };
  return {
    statusCode: status,
    ...withHeaders(without(earlier, 'content-type'), headers, isMultiValue),
    body: JSON.stringify({ type, title: TITLES[code], status, ...detail, ...instance, code }),
  };
}

function without(response: ProxyResponse, name: string): ProxyResponse {
  const drop = (headers: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(headers).filter(([header]) => header.toLowerCase() !== name));
  return {
    ...(response.headers && { headers: drop(response.headers) }),
    ...(response.multiValueHeaders && { multiValueHeaders: drop(response.multiValueHeaders) }),
  };
}
