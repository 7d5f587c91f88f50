import { isUtf8 } from 'node:buffer';
import { canonicalJson, canonicalText } from '../core/identity.ts';
import { isOutcome, type ProxyResponse, problem, replayed } from './http-response.ts';
import { keyOfHeader } from './idempotency-key.ts';
import type { EventSource } from './source.ts';

type Values = Record<string, string | string[] | undefined> | null | undefined;

/** What API Gateway (REST, HTTP), function URLs and ALB send, as far as idempotency looks at it. */
export interface HttpEvent {
  // REST API, HTTP API 1.0, ALB
  readonly httpMethod?: string;
  readonly path?: string;
  readonly resource?: string;
  readonly queryStringParameters?: Values;
  readonly multiValueQueryStringParameters?: Values;
  // HTTP API 2.0, function URL
  readonly rawPath?: string;
  readonly rawQueryString?: string;
  readonly routeKey?: string;
  // all
  readonly headers?: Values;
  readonly multiValueHeaders?: Values;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  readonly requestContext?: {
    readonly http?: { readonly method: string };
    readonly authorizer?: Authorizer | null;
    readonly identity?: { readonly cognitoIdentityId?: string | null; readonly userArn?: string | null };
  };
}

interface Authorizer {
  readonly principalId?: unknown;
  readonly claims?: Claims;
  readonly jwt?: { readonly claims?: Claims };
  readonly iam?: {
    readonly userArn?: string | null;
    readonly cognitoIdentity?: { readonly identityId?: string } | null;
  };
}

type Claims = Record<string, unknown> | null;

const NATURAL = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** API Gateway REST (v1) and HTTP (v2), Lambda function URL, Application Load Balancer. */
export const http: EventSource<HttpEvent> = {
  name: 'http',
  matches: (event) =>
    typeof event === 'object' && event !== null && 'requestContext' in event && isHttp(event as HttpEvent),
  operation: (event) => [methodOf(event), routeOf(event)],
  key: (event) => keyOfHeader(headerValues(event, 'idempotency-key')),
  isNatural: (event) => NATURAL.has(methodOf(event)),
  principal: (event) => principalOf(event.requestContext ?? {}),
  payload: (event) => [methodOf(event), pathOf(event), queryOf(event), ...bodyOf(event)],
  trace: (event) => headerValues(event, 'traceparent')[0] ?? headerValues(event, 'x-amzn-trace-id')[0],
  isOutcome,
  replay: (value, event) => replayed(value, isMultiValue(event)),
  refuse: (error, event, earlier) => problem(error, isMultiValue(event), earlier as ProxyResponse | undefined),
};

function isHttp(event: HttpEvent): boolean {
  return (
    event.requestContext?.http !== undefined || (typeof event.httpMethod === 'string' && typeof event.path === 'string')
  );
}

function methodOf(event: HttpEvent): string {
  return event.requestContext?.http?.method ?? event.httpMethod ?? '';
}

/** As received: the template would make `/orders/1/refund` and `/orders/2/refund` one payload. */
function pathOf(event: HttpEvent): string {
  return event.rawPath ?? event.path ?? '';
}

/** `POST /orders/{id}` and `/orders/{id}` are one route; where there is none, the path is. */
function routeOf(event: HttpEvent): string {
  const route = event.resource ?? event.routeKey?.replace(/^[A-Z]+ /, '');
  return route === undefined || route === '$default' ? pathOf(event) : route;
}

function queryOf(event: HttpEvent): unknown {
  return event.rawQueryString ?? event.multiValueQueryStringParameters ?? event.queryStringParameters ?? '';
}

/** What the body is, and the body: bodies of different kinds are never equal. */
function bodyOf(event: HttpEvent): readonly [kind: string, ...body: unknown[]] {
  const { body } = event;
  if (body === undefined || body === null) return ['none'];
  if (typeof body !== 'string') return ['parsed', body];
  const encoding = event.isBase64Encoded ? 'base64' : 'utf8';
  const bytes = Buffer.from(body, encoding);
  const isAsSent = bytes.toString(encoding) === body;
  if (isAsSent && !saysJson(event)) return ['bytes', bytes.toString('base64')];
  const json = isAsSent && isUtf8(bytes) ? canonicalText(bytes.toString()) : undefined;
  // A body parser may have left a string behind, which the encoding no longer describes.
  return json === undefined ? ['text', encoding, body] : ['json', json];
}

function saysJson(event: HttpEvent): boolean {
  const [type = 'application/json'] = headerValues(event, 'content-type');
  return /^application\/([\w.+-]+\+)?json\b/i.test(String(type).trim());
}

function headerValues(event: HttpEvent, name: string): unknown[] {
  const find = (headers: Values): unknown[] =>
    Object.entries(headers ?? {}).flatMap(([header, value]) => (header.toLowerCase() === name ? (value ?? []) : []));
  const many = find(event.multiValueHeaders);
  return many.length > 0 ? many : find(event.headers);
}

/** An ALB target group with multi-value headers sends and understands only those. */
function isMultiValue(event: HttpEvent): boolean {
  return !event.headers && Boolean(event.multiValueHeaders);
}

function principalOf({ authorizer, identity }: NonNullable<HttpEvent['requestContext']>): string | undefined {
  const { iss, sub } = authorizer?.jwt?.claims ?? authorizer?.claims ?? {};
  // Users of a Cognito identity pool share one role and one session name.
  const cognito = authorizer?.iam?.cognitoIdentity?.identityId ?? identity?.cognitoIdentityId;
  const arn = authorizer?.iam?.userArn ?? identity?.userArn;
  if (iss && sub) return canonicalJson(['jwt', String(iss), String(sub)]);
  if (authorizer?.principalId) return canonicalJson(['authorizer', String(authorizer.principalId)]);
  if (cognito) return canonicalJson(['cognito', cognito]);
  // The session name of an assumed role changes with every session of the same caller.
  if (arn) return canonicalJson(['iam', arn.replace(/(:assumed-role\/[^/]+)\/.*/, '$1')]);
  return undefined;
}
