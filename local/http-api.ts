import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { listen } from './listen.ts';

type Integration = (event: APIGatewayProxyEventV2) => Promise<unknown>;

/** An HTTP API on this machine. */
export interface HttpApi {
  readonly url: string;
  /** The next response is lost on its way to the client, after the function has answered. */
  readonly loseNextResponse: () => void;
  readonly stop: () => Promise<void>;
}

/**
 * Serves route keys such as `POST /orders` and `GET /orders/{id}` on loopback, with API Gateway's v2 events. `end` is added to
 * bodies of text: a newline, for those who call it from a shell.
 */
export async function startHttpApi(routes: Record<string, Integration>, port = 0, end = ''): Promise<HttpApi> {
  let lose = false;
  const server = createServer(async (request, response) => {
    const losing = lose;
    lose = false;
    const { status, headers, body } = await answer(routes, request);
    if (losing) request.socket.destroy();
    else response.writeHead(status, headers).end(typeof body === 'string' ? body + end : body);
  });
  return {
    ...(await listen(server, port)),
    loseNextResponse: () => {
      lose = true;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer;
}

async function answer(routes: Record<string, Integration>, request: IncomingMessage): Promise<Answer> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  for (const [routeKey, integration] of Object.entries(routes)) {
    const pathParameters = match(routeKey, request.method ?? '', pathname);
    if (!pathParameters) continue;
    const body = await text(request);
    const event = eventOf(request, {
      routeKey,
      rawPath: pathname,
      rawQueryString: search.slice(1),
      pathParameters,
      body,
    });
    try {
      return answerOf((await integration(event)) as APIGatewayProxyStructuredResultV2);
    } catch {
      return json(502, { message: 'Internal Server Error' });
    }
  }
  return json(404, { message: 'Not Found' });
}

function match(routeKey: string, method: string, path: string): Record<string, string> | undefined {
  const [routeMethod, template = ''] = routeKey.split(' ');
  const pattern = new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
  const found = routeMethod === method ? pattern.exec(path) : null;
  return found ? { ...found.groups } : undefined;
}

interface Routed extends Pick<APIGatewayProxyEventV2, 'routeKey' | 'rawPath' | 'rawQueryString'> {
  readonly pathParameters: Record<string, string>;
  readonly body: string;
}

function eventOf(
  request: IncomingMessage,
  { routeKey, rawPath, rawQueryString, pathParameters, body }: Routed,
): APIGatewayProxyEventV2 {
  const headers = Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(',')]);
  const time = new Date();
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString,
    headers: Object.fromEntries(headers),
    pathParameters,
    ...(body && { body }),
    isBase64Encoded: false,
    requestContext: {
      accountId: 'local',
      apiId: 'local',
      domainName: 'localhost',
      domainPrefix: 'localhost',
      http: {
        method: request.method ?? '',
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: crypto.randomUUID(),
      routeKey,
      stage: '$default',
      time: time.toUTCString(),
      timeEpoch: time.getTime(),
    },
  };
}

function answerOf(result: APIGatewayProxyStructuredResultV2): Answer {
  const headers = Object.entries(result.headers ?? {}).map(([name, value]) => [name, String(value)]);
  const body = result.body ?? '';
  return {
    status: result.statusCode ?? 200,
    headers: Object.fromEntries(headers),
    body: result.isBase64Encoded ? Buffer.from(body, 'base64') : body,
  };
}

function json(status: number, content: unknown): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(content) };
}
