export interface ProxyResponse {
  readonly statusCode?: number | string;
  readonly headers?: Record<string, unknown>;
  readonly multiValueHeaders?: Record<string, unknown>;
  readonly [other: string]: unknown;
}

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
  return isStatus(statusCode) && typeof headers === 'object' && !Array.isArray(headers) && typeof body === 'string';
}

/** How a service reads what a function returns. */
export interface Reading {
  /** An ALB target group with multi-value headers sends and understands only those. */
  readonly isMultiValue: boolean;
  /** A value without a status is the body of a 200, as in payload 2.0. To any other service it is an error. */
  readonly infersStatus: boolean;
}

/** The recorded response with `Idempotent-Replayed: true`; nothing else of it is touched. */
export function replayed(value: unknown, { isMultiValue, infersStatus }: Reading): unknown {
  const response = infersStatus ? inferred(value) : value;
  if (!isObject(response)) return response;
  return { ...response, ...withHeaders(response, { 'Idempotent-Replayed': 'true' }, isMultiValue) };
}

/**
 * A response that can be sent, made of what a handler returned and the rest of its chain did not finish. What is no response is taken
 * for the body of one, as Middy does.
 */
export function finished(value: unknown, { isMultiValue, infersStatus }: Reading): unknown {
  if (infersStatus && value === undefined) return value;
  const given = infersStatus ? inferred(value) : isObject(value) && isUnfinished(value) ? value : { body: value };
  const response = withoutBody(given as ProxyResponse, infersStatus);
  const { body, isBase64Encoded } = given as ProxyResponse;
  if (typeof body === 'string') return { ...response, body, ...(isBase64Encoded === true && { isBase64Encoded }) };
  if (body instanceof Uint8Array) {
    return { ...response, body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
  }
  const text = body === null ? undefined : jsonOf(body);
  if (text === undefined) return response;
  const typed = isTyped(response) ? {} : withHeaders(response, { 'Content-Type': 'application/json' }, isMultiValue);
  return { ...response, ...typed, body: text };
}

function isUnfinished(value: object): boolean {
  return ['statusCode', 'headers', 'multiValueHeaders', 'body'].some((member) => member in value);
}

/** What a service takes of a response, besides its body. Cookies are of payload 2.0. */
function withoutBody(response: ProxyResponse, hasCookies: boolean): ProxyResponse {
  const { statusCode, headers, multiValueHeaders, cookies, statusDescription } = response;
  const status = Number(statusCode);
  return {
    statusCode: isStatus(status) ? status : 200,
    ...(isObject(headers) && { headers: only(headers, isScalar) }),
    ...(isObject(multiValueHeaders) && {
      multiValueHeaders: only(multiValueHeaders, (list) => Array.isArray(list) && list.every(isScalar)),
    }),
    ...(hasCookies && Array.isArray(cookies) && { cookies: cookies.filter(isScalar) }),
    ...(typeof statusDescription === 'string' && { statusDescription }),
  };
}

function only(headers: object, isKept: (value: unknown) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => isKept(value)));
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isStatus(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 599;
}

function isTyped({ headers = {}, multiValueHeaders = {} }: ProxyResponse): boolean {
  return Object.keys({ ...headers, ...multiValueHeaders }).some((name) => name.toLowerCase() === 'content-type');
}

/** Undefined: JSON cannot write it. BigInts are texts, since JSON has none. */
function jsonOf(body: unknown): string | undefined {
  try {
    return JSON.stringify(body, (_, member) => (typeof member === 'bigint' ? `${member}` : member));
  } catch {
    return undefined;
  }
}

// What API Gateway makes of a value without a status: 200, and the value as JSON.
function inferred(value: unknown): unknown {
  if (value === undefined || (isObject(value) && value.statusCode !== undefined)) return value;
  const body = typeof value === 'string' ? value : jsonOf(value);
  return { statusCode: 200, headers: { 'Content-Type': 'application/json' }, ...(body !== undefined && { body }) };
}

function isObject(value: unknown): value is ProxyResponse {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function withHeaders(
  response: ProxyResponse,
  more: Record<string, string>,
  isMultiValue: boolean,
): ProxyResponse {
  if (!isMultiValue) return { ...pick(response, 'multiValueHeaders'), headers: { ...response.headers, ...more } };
  const lists = Object.entries(more).map(([name, value]) => [name, [value]]);
  return {
    ...pick(response, 'headers'),
    multiValueHeaders: { ...response.multiValueHeaders, ...Object.fromEntries(lists) },
  };
}

function pick(response: ProxyResponse, name: 'headers' | 'multiValueHeaders'): ProxyResponse {
  return response[name] ? { [name]: response[name] } : {};
}
