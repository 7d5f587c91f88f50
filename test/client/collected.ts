// Run with --expose-gc: holds signals by nothing but a Request, collects, and says what still ends a call.
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { retrying } from 'effectively-once/client';

const server = createServer((request, response) => {
  if (request.url === '/hangs') return;
  if (request.url === '/whole') response.end('whole');
  else response.writeHead(200, { 'content-length': '100' }).write('half');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const deaf: typeof fetch = () => new Promise(() => {});

type Start = (send: typeof fetch, path: string, signal: AbortSignal) => Promise<Response>;
const far = () => AbortSignal.timeout(600_000);
const STARTS: Record<string, Start> = {
  init: (send, path, signal) => send(path, { signal }),
  'any in init': (send, path, signal) => send(path, { signal: AbortSignal.any([signal, far()]) }),
  request: (send, path, signal) => send(new Request(path, { signal })),
  'any in request': (send, path, signal) => send(new Request(path, { signal: AbortSignal.any([signal, far()]) })),
  'request as init': (send, path, signal) => send(path, new Request(path, { signal }) as RequestInit),
};

const callers: AbortController[] = [];

/** What a call ends with. */
async function ended(start: Start, send: typeof fetch, path: string, isRead = false): Promise<string> {
  const caller = new AbortController();
  callers.push(caller);
  const headers = start(send, `${origin}${path}`, caller.signal);
  const end = (isRead ? headers.then((response) => response.text()) : headers).then(
    () => 'answered',
    (error) => error.message,
  );
  return Promise.race([end, sleep(3_000, 'nothing')]);
}

const timed = retrying(undefined, { attempts: 1, attemptTimeout: 60 });
const calls = Object.entries(STARTS).flatMap(([name, start]) => [
  [`abort of ${name}, before the headers`, ended(start, retrying(), '/hangs')] as const,
  [`abort of ${name}, by a fetch that is deaf`, ended(start, retrying(deaf), '/hangs')] as const,
  [`abort of ${name}, in the body`, ended(start, retrying(), '/half', true)] as const,
  [`timeout with ${name}`, ended(start, timed, '/hangs')] as const,
]);
for (let round = 0; round < 10; round++) {
  await sleep(20);
  globalThis.gc?.();
}
for (const caller of callers) caller.abort(new Error('aborted'));
const findings: Record<string, string> = {};
for (const [name, end] of calls) findings[name] = await end;

// A signal that lives as long as the process, and calls of which nobody reads the answer.
const app = new AbortController();
const signal = app.signal;
const served: WeakRef<Response>[] = [];
const send = retrying(async (_, init) => fetch(`${origin}/whole`, init as RequestInit));
for (let call = 0; call < 50; call++) served.push(new WeakRef(await send(`${origin}/whole`, { signal })));
for (let round = 0; round < 10; round++) {
  await sleep(20);
  globalThis.gc?.();
}
findings['answers that are kept'] = String(served.filter((one) => one.deref()).length);
findings['listeners that are kept'] = String(getEventListeners(signal, 'abort').length);
console.log(JSON.stringify(findings));
process.exit();
