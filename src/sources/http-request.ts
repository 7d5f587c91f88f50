import { type Body, contentOfBody, formerContentOfBody } from './http-body.ts';
import { finished, isOutcome, type ProxyResponse, type Reading, replayed } from './http-response.ts';
import { keyOfHeader } from './idempotency-key.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

/** By name, one value or several. */
export type Values = Record<string, string | string[] | undefined> | null | undefined;

export interface Headed {
  /** The first that has a header counts. */
  readonly headers: readonly Values[];
}

/** An HTTP request, whichever service hands it on. */
export interface HttpRequest extends Headed, Reading, Pick<Body, 'body' | 'isBase64Encoded'> {
  readonly method: string;
  /** As received: the template would make `/orders/1/refund` and `/orders/2/refund` one payload. */
  readonly path: string;
  /** The template of the path; if there is none, the path. */
  readonly route: string;
  readonly query: unknown;
}

const NATURAL = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What a service says of its events, beside the request in them. */
interface HttpService<Event> extends Pick<EventSource<Event>, 'name' | 'matches' | 'principal'> {
  readonly requestOf: (event: Event) => HttpRequest;
}

/** An event, and the request that it hands on. */
export interface HttpRead<Event> {
  readonly event: Event;
  readonly request: HttpRequest;
}

/** The source of a service that hands on HTTP requests. */
export function httpSource<Event>(service: HttpService<Event>): EventSource<Event, HttpRead<Event>> {
  const { name, matches, requestOf } = service;
  return {
    ...plain,
    name,
    matches,
    read: (event) => ({ event, request: requestOf(event) }),
    principal: ({ event }) => service.principal(event),
    operation: ({ request: { method, route } }) => [method, route],
    key: ({ request }) => keyOfHeader(headerValues(request, 'idempotency-key')),
    isNatural: ({ request }) => NATURAL.has(request.method),
    payload: ({ request }) => payloadOf(request, contentOfBody(bodyOf(request))),
    formerPayload: ({ request }) => {
      const content = formerContentOfBody(bodyOf(request));
      return content && payloadOf(request, content);
    },
    trace: ({ request }) => traceIn(request),
    isOutcome,
    finish: (value, event) => finished(value, requestOf(event)),
    replay: (value, event) => replayed(value, requestOf(event)),
    refuse: async (error, event, earlier) => {
      const { problem } = await import('./http-problem.ts');
      return problem(error, requestOf(event).isMultiValue, earlier as ProxyResponse | undefined);
    },
    words: {
      key: 'the Idempotency-Key header',
      missing: 'send an Idempotency-Key header',
      conflict: 'send the request again after the seconds that Retry-After says',
      mismatch: 'another method, path, query or body: send a new key with a new request',
    },
  };
}

function payloadOf({ method, path, query }: HttpRequest, content: readonly unknown[]): readonly unknown[] {
  return [method, path, query, ...content];
}

function bodyOf({ body, isBase64Encoded, ...request }: HttpRequest): Body {
  const [contentType = 'application/json'] = headerValues(request, 'content-type');
  return { body, isBase64Encoded, contentType: String(contentType) };
}

export function traceIn(headed: Headed): unknown {
  return headerValues(headed, 'traceparent')[0] ?? headerValues(headed, 'x-amzn-trace-id')[0];
}

/** The values of a header in the first list that has it. `name`: in lower case. */
export function headerValues({ headers }: Headed, name: string): unknown[] {
  for (const values of headers) {
    const found: unknown[] = [];
    for (const header in values) {
      if (header.length !== name.length || header.toLowerCase() !== name) continue;
      const value = values[header] ?? [];
      if (Array.isArray(value)) found.push(...value);
      else found.push(value);
    }
    if (found.length > 0) return found;
  }
  return [];
}
