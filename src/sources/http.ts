import { writtenOnce } from '../core/canonical.ts';
import { callerOf } from './caller.ts';
import { type HttpRequest, httpSource, type Values } from './http-request.ts';
import { isPresent, isText, membersOf } from './members.ts';

/** What API Gateway (REST, HTTP), function URLs and ALB send, as far as idempotency looks at it. */
interface HttpEvent {
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
  /** Local tools leave it out. */
  readonly requestContext?: { readonly http?: { readonly method: string; readonly path?: string } } | null;
}

/** API Gateway REST (v1) and HTTP (v2), Lambda function URL, Application Load Balancer. */
export const http = httpSource<HttpEvent>({
  name: 'http',
  matches: (event) => {
    const { httpMethod, path, rawPath, routeKey, requestContext } = membersOf(event);
    const isOfVersion1 = isText(httpMethod) && isText(path);
    return isOfVersion1 || (isText(rawPath) && isText(routeKey)) || membersOf(requestContext)['http'] !== undefined;
  },
  principal: ({ requestContext }) => callerIn(membersOf(requestContext)),
  requestOf,
});

function requestOf(event: HttpEvent): HttpRequest {
  const { routeKey, headers, multiValueHeaders, rawQueryString, body, isBase64Encoded = false } = event;
  const { http } = event.requestContext ?? {};
  const path = event.rawPath ?? event.path ?? http?.path ?? '';
  // `POST /orders/{id}` and `/orders/{id}` are one route.
  const [, method, template] = /^(?:([A-Z]+) )?(.*)$/s.exec(routeKey ?? '') ?? [];
  const route = event.resource ?? template;
  return {
    method: http?.method ?? event.httpMethod ?? method ?? '',
    path,
    route: route && route !== '$default' ? route : path,
    query: rawQueryString ?? event.multiValueQueryStringParameters ?? event.queryStringParameters ?? '',
    headers: [multiValueHeaders, headers],
    isMultiValue: !headers && Boolean(multiValueHeaders),
    infersStatus: !isText(event.httpMethod), // of version 1, which may have a `rawPath`, too
    body,
    isBase64Encoded,
  };
}

/** The caller by the authorizer's word; if there is none, by API key and client certificate. */
export function callerIn({
  authorizer,
  identity,
  authentication,
}: Readonly<Record<string, unknown>>): string | undefined {
  const { jwt, iam, claims, principalId } = membersOf(authorizer);
  const { cognitoIdentity, userArn } = membersOf(iam);
  const signed = membersOf(identity);
  const clientCert = signed['clientCert'] ?? membersOf(authentication)['clientCert'];
  const { issuerDN, subjectDN } = membersOf(clientCert);
  const isCertified = isText(issuerDN) && isText(subjectDN);
  const credentials = {
    claims: membersOf(membersOf(jwt)['claims'] ?? claims),
    principalId,
    cognitoIdentityId: membersOf(cognitoIdentity)['identityId'] ?? signed['cognitoIdentityId'],
    userArn: userArn ?? signed['userArn'],
  };
  const caller = callerOf(credentials, isPresent(authorizer) || (isPresent(clientCert) && !isCertified));
  if (caller) return caller;
  const keyed = isText(signed['apiKeyId']) ? ['api-key', signed['apiKeyId']] : [];
  const named = isCertified ? [...keyed, 'certificate', issuerDN, subjectDN] : keyed;
  return named.length > 0 ? writtenOnce(named) : undefined;
}
