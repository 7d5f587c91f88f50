import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { retryInfo, retrying } from 'effectively-once/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

type Act = (request: IncomingMessage, response: ServerResponse) => void;

const created: Act = (_, response) => response.writeHead(201).end('created');
const closes: Act = ({ socket }) => socket.destroy();
const says =
  (status: number, headers: Record<string, string> = {}): Act =>
  (_, response) =>
    response.writeHead(status, headers).end(`${status}`);
const halfABody: Act = (request, response) => {
  response.writeHead(200, { 'content-length': '100' });
  response.write('half', () => request.socket.destroy());
};

let server: Server;
let origin: string;
let acts: Act[];
let seen: string[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url, headers } = request;
    seen.push(`${method} ${url} ${headers['idempotency-key']} ${body}`);
    (acts.shift() ?? created)(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
});

const order = { method: 'POST', body: '{"item":"book"}' };
const send = (...script: Act[]) => {
  acts = script;
  return retrying(undefined, { origins: [origin], attemptTimeout: '300ms', deadline: '10s' });
};

describe('a real server', () => {
  it.each<[string, Act]>([
    ['closes the socket before it answers', closes],
    ['hangs', () => {}],
    ['is overloaded', says(503)],
    ['throttles', says(429)],
    ['says that it is in flight', says(409, { 'retry-after': '0' })],
    [
      'sends a status, then closes',
      (request, response) => {
        response.writeHead(503, { 'content-length': '100' });
        response.write('half', () => request.socket.destroy());
      },
    ],
  ])('%s: the same request comes again, with the same key', async (_, act) => {
    const response = await send(act)(`${origin}/orders`, order);
    expect([response.status, await response.text()]).toEqual([201, 'created']);
    const { key, attempts } = retryInfo(response);
    expect(attempts).toBe(2);
    expect(seen).toEqual(Array(2).fill(`POST /orders ${key} ${order.body}`));
  });

  it('sends half a body: its answer is there, reading it fails, and nothing is sent again', async () => {
    const response = await send(halfABody)(`${origin}/orders`, order);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(seen).toHaveLength(1);
  });

  it('never ends the body of a 409 in flight: its connection is given back', async () => {
    const closed: Promise<unknown>[] = [];
    const halfAConflict: Act = ({ socket }, response) => {
      closed.push(once(socket, 'close'));
      response.writeHead(409, { 'content-length': '100', 'retry-after': '0' });
      response.write('half');
    };
    const response = await send(halfAConflict, halfAConflict)(`${origin}/orders`, order);
    expect([response.status, closed.length]).toEqual([201, 2]);
    await Promise.all(closed);
  });

  it('closes the socket of a POST without a key: it is not sent again', async () => {
    acts = [closes];
    await expect(retrying()(`${origin}/orders`, order)).rejects.toMatchObject({ attempts: [{}] });
    expect(seen).toHaveLength(1);
  });

  it('cannot be reached: the error says what each attempt met, with its cause', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const error = await retrying()(`http://127.0.0.1:${port}/`).catch((error) => error);
    expect(error.cause.code).toBe('ECONNREFUSED');
    expect(error.attempts).toHaveLength(3);
  });

  it('redirects a POST by 307: it keeps method, body and key; by 303: it becomes a GET', async () => {
    await send(says(307, { location: '/there' }))(`${origin}/orders`, order);
    const [first, second] = seen;
    expect(second).toBe(first?.replace('/orders', '/there'));
    seen = [];
    await send(says(303, { location: '/there' }))(`${origin}/orders`, order);
    expect(seen[1]).toMatch(/^GET \/there .* $/);
  });

  it('loses the request that a redirect led to: the whole is sent again, with one key', async () => {
    const moved = says(307, { location: '/there' });
    const response = await send(moved, closes, moved)(`${origin}/orders`, order);
    const { key } = retryInfo(response);
    const there = `POST /there ${key} ${order.body}`;
    expect(seen).toEqual([`POST /orders ${key} ${order.body}`, there, `POST /orders ${key} ${order.body}`, there]);
  });

  it('is let go at once when the caller aborts', async () => {
    const controller = new AbortController();
    let closed: Promise<unknown> | undefined;
    const hangs: Act = ({ socket }) => {
      closed = once(socket, 'close');
      controller.abort();
    };
    await expect(send(hangs)(`${origin}/orders`, { ...order, signal: controller.signal })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    await closed;
    await sleep(20);
    expect(seen).toHaveLength(1);
  });

  it('stops sending a body when the caller aborts', async () => {
    const controller = new AbortController();
    const hangsHalfway: Act = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
    };
    const response = await send(hangsHalfway)(`${origin}/orders`, { ...order, signal: controller.signal });
    const text = response.text();
    controller.abort(new Error('the user left'));
    await expect(text).rejects.toThrow('the user left');
  });
});
