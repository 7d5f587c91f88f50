import type { IdempotencyError, IdempotencyErrorCode } from '../core/errors.ts';

export interface ProxyResponse {
  readonly statusCode?: number | string;
  readonly headers?: Record<string, unknown>;
  readonly multiValueHeaders?: Record<string, unknown>;
  readonly [other: string]: unknown;
}

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

/** Statuses that speak of the caller, or say "not now" rather than "no"; beside 5xx. */
const NO_OUTCOMES = new Set([401, 403, 408, 409, 425, 429]);

/** Whether a response is an outcome, and not a failure that a retry may mend. No status means 200, as in API Gateway. */
export function isOutcome(value: unknown): boolean {
  const status = Number((value as ProxyResponse | undefined)?.statusCode ?? 200);
  return status < 500 && !NO_OUTCOMES.has(status);
}

/** Whether a value can be sent as it is: `{ statusCode: 100 to 599, headers?: { name: value }, body?: text }`. */
export function isResponse(value: unknown): boolean {
  const {
    statusCode,
    headers = {},
    body = '',
  } = (typeof value === 'object' && value !== null ? value : {}) as ProxyResponse;
  const isStatus = Number.isInteger(statusCode) && Number(statusCode) >= 100 && Number(statusCode) <= 599;
  return isStatus && typeof headers === 'object' && !Array.isArray(headers) && typeof body === 'string';
}

/** The recorded response with `Idempotent-Replayed: true`; nothing else of it is touched. */
export function replayed(value: unknown, multiValue: boolean): unknown {
  const response = structured(value);
  return response && { ...response, ...withHeaders(response, { 'Idempotent-Replayed': 'true' }, multiValue) };
}

/** `application/problem+json` by RFC 9457. Keeps the headers of an earlier answer, CORS among them. */
export function problem(error: IdempotencyError, multiValue: boolean, earlier: ProxyResponse = {}): ProxyResponse {
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
    ...withHeaders(without(earlier, 'content-type'), headers, multiValue),
    body: JSON.stringify({ type, title: TITLES[code], status, ...detail, ...instance, code }),
  };
}

// What API Gateway makes of a value without a status: 200, and the value as JSON.
function structured(value: unknown): ProxyResponse | undefined {
  if (typeof value === 'object' && value !== null && 'statusCode' in value) return value as ProxyResponse;
  if (value === undefined) return undefined;
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  return { statusCode: 200, headers: { 'Content-Type': 'application/json' }, body };
}

function withHeaders(response: ProxyResponse, more: Record<string, string>, multiValue: boolean): ProxyResponse {
  if (!multiValue) return { ...pick(response, 'multiValueHeaders'), headers: { ...response.headers, ...more } };
  const lists = Object.entries(more).map(([name, value]) => [name, [value]]);
  return {
    ...pick(response, 'headers'),
    multiValueHeaders: { ...response.multiValueHeaders, ...Object.fromEntries(lists) },
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

function pick(response: ProxyResponse, name: 'headers' | 'multiValueHeaders'): ProxyResponse {
  return response[name] ? { [name]: response[name] } : {};
}
