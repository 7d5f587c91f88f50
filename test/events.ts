import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** An HTTP request, as far as tests vary it. */
export interface HttpRequest {
  readonly method?: string;
  readonly path?: string;
  readonly key?: string;
  readonly body?: unknown;
  readonly event?: Partial<APIGatewayProxyEventV2>;
}

/** The event an HTTP API makes of it. */
export function httpEvent({
  method = 'POST',
  path = '/orders',
  key,
  body,
  event,
}: HttpRequest): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
    requestContext: {
      accountId: '123456789012',
      apiId: 'api',
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: crypto.randomUUID(),
      routeKey: `${method} ${path}`,
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: 0,
    },
    ...event,
  };
}
