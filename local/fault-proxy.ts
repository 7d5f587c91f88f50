import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './dynamodb.ts';
import { listen } from './listen.ts';

/** A request on its way to DynamoDB. */
export interface Asked {
  /** `PutItem`, `TransactWriteItems` … */
  readonly operation: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** `hold`: it never arrives. `mute`, `lose`: it is applied, and never answered, or the connection breaks. A number: ms later. */
export type Fault = 'hold' | 'mute' | 'lose' | 'throttle' | number;

export interface FaultProxy extends Engine {
  /** Resolves when the first fault has had its effect. */
  readonly struck: Promise<void>;
}

/**
 * A way to DynamoDB, or another AWS, on loopback on which requests meet what `plan` has for them. `applied` hears of each
 * that has arrived and been answered, before its answer meets the fault.
 */
export async function startFaultProxy(
  upstream: string,
  plan: (asked: Asked) => Fault | undefined,
  applied: (asked: Asked, status: number) => void = () => {},
): Promise<FaultProxy> {
  const { promise: struck, resolve: strike } = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const asked: Asked = { operation, body: body.toString(), headers: request.headers };
    const fault = plan(asked);
    if (fault === 'hold') return strike();
    if (fault === 'throttle') {
      response.writeHead(400, { 'Content-Type': 'application/x-amz-json-1.0' }).end(THROTTLED);
      return strike();
    }
    if (typeof fault === 'number') await sleep(fault);
    const answer = await forward(`${upstream}${request.url}`, request.headers, body).catch(() => undefined);
    if (answer) applied(asked, answer.status);
    if (fault !== undefined) strike();
    if (fault === 'mute') return;
    if (fault === 'lose' || !answer) return void request.socket.destroy();
    response.writeHead(answer.status, { 'Content-Type': 'application/x-amz-json-1.0' }).end(answer.body);
  });
  const { url: endpoint, stop } = await listen(server);
  return { endpoint, struck, stop };
}

const THROTTLED = JSON.stringify({
  __type: 'com.amazonaws.dynamodb.v20120810#ThrottlingException',
  message: 'by the fault proxy',
});

async function forward(
  url: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<{ status: number; body: Buffer }> {
  const kept = ['x-amz-target', 'content-type', 'authorization', 'x-amz-date'].map((name) => [
    name,
    `${headers[name]}`,
  ]);
  const response = await fetch(url, { method: 'POST', headers: Object.fromEntries(kept), body: Uint8Array.from(body) });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}
