import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { idempotent, memoryStore } from '../../../src/index.ts';
import { context } from '../../events.ts';

/** What a server does to the first request of an order, or to all of them. */
export const SCENARIOS = [
  'socket closed before',
  'answer lost after the effect',
  '500 after the effect',
  '503, Retry-After: 1',
  '429, Retry-After: 1',
  '409, in flight',
  '409, sold out',
  '422',
  'no answer',
] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Shop {
  readonly url: (scenario: Scenario, order: string) => string;
  /** What came of an order. */
  readonly seen: (order: string) => { requests: number; effects: number };
  readonly close: () => void;
}

/** A handler of ours, which also runs without a key, behind a network and a gateway that fail as scenarios say. */
export async function openShop(): Promise<Shop> {
  const seen = new Map<string, { requests: number; effects: number }>();
  const of = (order: string) => seen.get(order) ?? seen.set(order, { requests: 0, effects: 0 }).get(order) ?? never();
  const make = async ({ rawPath }: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const { scenario, order } = partsOf(rawPath);
    of(order).effects++;
    if (scenario === '409, in flight') await sleep(1_500);
    return { statusCode: 201, body: 'made' };
  };
  const handler = idempotent(make, { store: memoryStore(), scope: 'orders', onMissingKey: 'run' });
  const run = async (request: IncomingMessage) =>
    (await handler(await eventOf(request), context())) as APIGatewayProxyStructuredResultV2;

  const server = createServer(async (request, response) => {
    const { scenario, order } = partsOf(request.url ?? '');
    const isFirst = of(order).requests++ === 0;
    if (await isDisturbed(scenario, isFirst, request, response, run)) return;
    const { statusCode = 200, headers, body } = await run(request);
    response.writeHead(statusCode, headers as Record<string, string>).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: (scenario, order) => `${origin}/${encodeURIComponent(scenario)}/${order}`,
    seen: of,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function never(): never {
  throw new Error('a map gives what it was given');
}

/** Whether something stands between a request and its answer. */
async function isDisturbed(
  scenario: Scenario,
  isFirst: boolean,
  request: IncomingMessage,
  response: ServerResponse,
  run: (request: IncomingMessage) => Promise<unknown>,
): Promise<boolean> {
  const answer = (status: number, headers = {}): true => {
    response.writeHead(status, headers).end('{}');
    return true;
  };
  if (scenario === '409, sold out') return answer(409, { 'content-type': 'application/json' });
  if (scenario === '422') return answer(422);
  if (!isFirst) return false;
  switch (scenario) {
    case 'socket closed before':
      request.socket.destroy();
      return true;
    case 'answer lost after the effect':
      await run(request);
      request.socket.destroy();
      return true;
    case '500 after the effect':
      await run(request);
      return answer(500);
    case '409, in flight':
      void run(request);
      await sleep(100);
      request.socket.destroy();
      return true;
    case 'no answer':
      return true;
    default:
      return answer(Number(scenario.slice(0, 3)), { 'retry-after': '1' });
  }
}

function partsOf(path: string): { scenario: Scenario; order: string } {
  const [, scenario = '', order = ''] = path.split('/').map(decodeURIComponent);
  return { scenario: scenario as Scenario, order };
}

async function eventOf(request: IncomingMessage): Promise<APIGatewayProxyEventV2> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return {
    version: '2.0',
    routeKey: 'POST /orders',
    rawPath: request.url,
    rawQueryString: '',
    headers: request.headers,
    requestContext: { http: { method: 'POST', path: request.url }, stage: '$default' },
    body,
    isBase64Encoded: false,
  } as unknown as APIGatewayProxyEventV2;
}
