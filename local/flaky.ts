import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { fetchLocally } from './fetch.ts';
import { listen } from './listen.ts';

/** `refuse`, `drop`: before its effect, a 503 or no answer. `lose`, `cut`: after it, no answer or half of one. */
type Mishap = 'refuse' | 'drop' | 'lose' | 'cut';

/** What happens to a request to `/orders`; a promise of it holds the request back. */
export type Plan = (request: { readonly method: string; readonly path: string }) => MaybePromise<Mishap | undefined>;

type MaybePromise<T> = T | Promise<T>;

/** A way to the shop on loopback that fails for its clients as its plan says. */
export interface Flaky {
  readonly url: string;
  /** Requests that have come, and not met their end. */
  readonly underWay: () => number;
  readonly stop: () => Promise<void>;
}

export async function startFlaky(upstream: string, plan: Plan, port = 0): Promise<Flaky> {
  let underWay = 0;
  const server = createServer(async (request, response) => {
    underWay++;
    await answer(request, response)
      .catch(() => request.socket.destroy()) // a client that left before it had sent all
      .finally(() => underWay--);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/', socket } = request;
    const body = await text(request); // before anything else: what is held back has arrived, though its client leaves
    const mishap = path.startsWith('/orders') ? await plan({ method, path }) : undefined;
    if (mishap === 'drop') return void socket.destroy();
    if (mishap === 'refuse') return void response.writeHead(503, JSON_TYPE).end('{"message":"Service Unavailable"}');
    const answer = await forward(upstream, request, body).catch(() => undefined);
    if (mishap === 'lose' || !answer) return void socket.destroy();
    const sent = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'Content-Length': sent.length });
    if (mishap !== 'cut') return void response.end(sent);
    response.write(sent.subarray(0, sent.length / 2), () => socket.destroy());
  };
  // Where a connection that it has used before breaks, a browser sends a POST again by itself, and the page never knows.
  server.maxRequestsPerSocket = 1;
  return { ...(await listen(server, port)), underWay: () => underWay };
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

const OF_CONNECTION = /^(host|connection|content-length|transfer-encoding|keep-alive)$/;

async function forward(upstream: string, request: IncomingMessage, body: string): Promise<Response> {
  const { method = 'GET', url = '/' } = request;
  const headers = Object.entries(request.headers).filter(([name]) => !OF_CONNECTION.test(name));
  const answer = await fetchLocally(upstream + url, {
    method,
    headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
    ...(body && { body }),
  });
  for (const name of [...answer.headers.keys()]) if (OF_CONNECTION.test(name)) answer.headers.delete(name);
  return answer;
}

/** A share of the requests fails: half of these before their effect, half after it. */
export function oneIn(share: number, random: () => number = Math.random): Plan {
  return () => {
    const chance = random();
    if (chance < share / 2) return 'refuse';
    return chance < share ? 'lose' : undefined;
  };
}

/** What `--flaky` was given: from 0, which is none, to 1. */
export function shareOf(given = '0'): number {
  const share = Number(given);
  if (given.trim() !== '' && share >= 0 && share <= 1) return share;
  throw new Error(`--flaky is ${given || 'empty'}: give it a number from 0 to 1, such as 0.2 for one call in five.`);
}

/** For people. */
export function saidOf(share: number): string {
  return share > 0 ? ` Of its calls ${share * 100} % fail, before or after their effect.` : '';
}
