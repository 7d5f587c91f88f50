import { request } from 'node:http';
import { memoryStore } from 'effectively-once/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningConsole, startConsole } from '../../cli/console.ts';
import { IdempotencyError } from '../../src/core/errors.ts';
import type { Store } from '../../src/core/store.ts';
import { completed, crashed, released } from '../operator/world.ts';

interface Asking {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly host?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Record<string, unknown>;
  readonly body: any;
}

/** Asks as a browser's page would, except for what is given; `fetch` would not lie about its host. */
function asking(running: RunningConsole) {
  const { host, hash } = new URL(running.url);
  return (path: string, { method = 'GET', token = hash.slice('#token='.length), body, ...more }: Asking = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const headers = {
        Host: more.host ?? host,
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(method !== 'GET' && { Origin: `http://${host}`, 'Content-Type': 'application/json' }),
        ...more.headers,
      };
      const sent = request(`http://${host}${path}`, { method, headers }, async (answer) => {
        let text = '';
        for await (const part of answer) text += part;
        const isJson = answer.headers['content-type']?.startsWith('application/json');
        resolve({ status: answer.statusCode, headers: answer.headers, body: isJson ? JSON.parse(text) : text });
      });
      sent.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
}

let store: Store;
let running: RunningConsole;
let ask: ReturnType<typeof asking>;
beforeAll(async () => {
  store = memoryStore();
  running = await startConsole({ store, table: 'records' });
  ask = asking(running);
});
afterAll(() => running.stop());

const lines = (body: string): any[] =>
  body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const searched = async (sought: object): Promise<any[]> =>
  lines((await ask(`/api/records?sought=${encodeURIComponent(JSON.stringify(sought))}`)).body);
const found = async (key: string): Promise<any> => (await searched({ key })).find(({ record }) => record).record;
const seenOf = ({ version, claimedAt, owner }: any) => ({ version, claimedAt, owner });

describe('the console answers', () => {
  it('on the loopback interface alone, with a token that no server is sent', () => {
    const { hostname, search, hash } = new URL(running.url);
    expect({ hostname, search, hash }).toEqual({
      hostname: '127.0.0.1',
      search: '',
      hash: expect.stringMatching(/^#token=[\w-]{32}$/),
    });
  });

  it('with a page that may load its own files alone, and stands in no frame', async () => {
    const { status, headers, body } = await ask('/', { token: '' });
    expect(status).toBe(200);
    expect(body).toContain('console.js');
    expect(headers).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each(['console.js', 'style.css', 'icon.svg'])('with %s', async (name) => {
    expect(await ask(`/${name}`)).toMatchObject({ status: 200 });
  });

  it('with nothing else of the disk', async () => {
    for (const path of ['/main.tsx', '/../package.json', '/%2e%2e/package.json', '/build.ts'])
      expect((await ask(path)).status).toBe(404);
  });
});

describe('the console refuses', () => {
  const FORBIDDEN = { code: 'FORBIDDEN', message: expect.any(String) };

  it.each<[string, number, Asking]>([
    ['who has no token', 401, { token: '' }],
    ['who has another token', 401, { token: 'a'.repeat(32) }],
    ['another host name that leads here', 403, { host: 'console.example:80' }],
    ['another port of this host', 403, { host: '127.0.0.1:1' }],
    ['a page of another origin', 403, { headers: { Origin: 'http://127.0.0.1:1' } }],
    ['a page without an origin', 403, { headers: { Origin: 'null' } }],
    ['what another site asks for', 403, { headers: { 'Sec-Fetch-Site': 'cross-site' } }],
    ['what another port asks for', 403, { headers: { 'Sec-Fetch-Site': 'same-site' } }],
  ])('%s', async (_, status, asked) => {
    for (const path of ['/api/about', '/api/estimate', '/api/records', '/api/record?id=a'])
      expect(await ask(path, asked)).toMatchObject({ status, body: FORBIDDEN });
    for (const path of ['/api/resolve', '/api/forget'])
      expect(await ask(path, { ...asked, method: 'POST', body: {} })).toMatchObject({ status, body: FORBIDDEN });
  });

  it('to give even its page by another host name', async () => {
    expect(await ask('/', { host: 'console.example' })).toMatchObject({ status: 403, body: FORBIDDEN });
  });

  it('a write that says not where it comes from', async () => {
    const { host, hash } = new URL(running.url);
    const response = await fetch(`http://${host}/api/forget`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${hash.slice('#token='.length)}` },
      body: '{}',
    });
    expect(response.status).toBe(403);
  });

  it.each<[string, unknown, string]>([
    ['that is no JSON object', 'x', 'the request is no JSON'],
    ['without what was seen', { id: 'a' }, 'the request lacks `seen`'],
    ['with something else', { id: 'a', seen: { version: 1, claimedAt: 1 }, force: true }, 'has no option `force`'],
    ['with a version that is none', { id: 'a', seen: { version: '1', claimedAt: 1 } }, '`seen` of the request must be'],
  ])('a write %s', async (_, body, message) => {
    const answer = await ask('/api/forget', { method: 'POST', body });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body.message).toContain(message);
  });

  it.each<[string, string, string]>([
    ['of no state', '{"state":"lost"}', '`state` of list must be one of'],
    ['that is no JSON', '{', '`sought` is no JSON'],
    ['that goes on nowhere', '{"from":"x"}', '`from` is no token of a list'],
  ])('a search %s', async (_, sought, message) => {
    const { body } = await ask(`/api/records?sought=${encodeURIComponent(sought)}`);
    expect(body.message).toContain(message);
  });

  it('nothing of a record whose value contains itself: it answers where', async () => {
    const value: Record<string, unknown> = { name: 'tree' };
    value['children'] = Array.from({ length: 4 }, () => ({ parent: value }));
    await completed(store, 'cyclic', value);
    const { id } = await found('cyclic');
    const { status, body } = await ask(`/api/record?id=${encodeURIComponent(id)}`);
    const children = Array(4).fill({ parent: '[circular]' });
    expect({ status, value: body.outcome.value }).toEqual({ status: 200, value: { name: 'tree', children } });
  });

  it.each([
    ['no id', '/api/record'],
    ['an empty id', '/api/record?id='],
    ['an id that is too long', `/api/record?id=${'k'.repeat(2_049)}`],
  ])('%s, which names no record', async (_, path) => {
    const { status, body } = await ask(path);
    expect({ status, body }).toEqual({
      status: 400,
      body: { code: 'MISUSE', message: expect.stringContaining('the id of a record has 1 to 2,048 bytes') },
    });
  });

  it('a port that is taken, in a sentence', async () => {
    const port = Number(new URL(running.url).port);
    await expect(startConsole({ store, table: 'records', port })).rejects.toThrow(
      `port ${port} is taken: give another --port, or none`,
    );
  });
});

describe('what is decided', () => {
  const post = (path: string, body: object) => ask(path, { method: 'POST', body });

  it('is decided on the record that was seen, and on no other', async () => {
    await completed(store, 'order-1', 'charged');
    const { id, ...seen } = await found('order-1');
    const other = { ...seenOf(seen), version: seen.version - 1 };
    expect(await post('/api/forget', { id, seen: other })).toMatchObject({
      status: 409,
      body: { code: 'CONFLICT', message: 'the record was changed meanwhile' },
    });
    expect(await found('order-1')).toEqual({ id, ...seen });
    expect(await post('/api/forget', { id, seen: seenOf(seen) })).toMatchObject({ status: 200, body: { id } });
    expect(await found('order-1')).toMatchObject({ state: 'released' });
  });

  it('is refused in words while a run holds the key', async () => {
    await crashed(store, { key: 'order-2' });
    const { id, ...seen } = await found('order-2');
    const { status, body } = await post('/api/forget', { id, seen: seenOf(seen) });
    expect({ status, body }).toEqual({
      status: 409,
      body: { code: 'CONFLICT', message: expect.stringMatching(/^a run holds the key until 20/) },
    });
  });

  it('is nothing when the console is read-only', async () => {
    const readOnly = await startConsole({ store, table: 'records', readOnly: true });
    const look = asking(readOnly);
    await released(store, 'order-3');
    const { id, ...seen } = await found('order-3');
    for (const path of ['/api/forget', '/api/resolve'])
      expect(
        await look(path, { method: 'POST', body: { id, seen: seenOf(seen), verdict: { rerun: true } } }),
      ).toMatchObject({
        status: 403,
        body: { code: 'READ_ONLY', message: 'the console was started with --read-only: nothing was written' },
      });
    expect(await found('order-3')).toEqual({ id, ...seen });
    expect((await look('/api/about')).body).toMatchObject({ readOnly: true, table: 'records' });
    await readOnly.stop();
  });
});

describe('a search', () => {
  it('gives 500 records at once, and goes on where it was', async () => {
    const many = memoryStore();
    for (let n = 0; n < 750; n++) await released(many, `order-${n}`);
    const other = await startConsole({ store: many, table: 'records' });
    const read = async (sought: object) =>
      lines((await asking(other)(`/api/records?sought=${encodeURIComponent(JSON.stringify(sought))}`)).body);
    const first = await read({});
    const { token } = first.at(-1).end;
    const second = await read({ from: token });
    const keys = [...first, ...second].flatMap(({ record }) => record?.key ?? []);
    expect(first.filter(({ record }) => record)).toHaveLength(500);
    expect(new Set(keys).size).toBe(750);
    expect(keys).toHaveLength(750);
    expect(second.at(-1).end).not.toHaveProperty('token');
    await other.stop();
  });

  it('stops when nobody listens any more', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const endless: Store = {
      ...store,
      scan: (_, signal) => {
        asked.resolve(signal as AbortSignal);
        return new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
        );
      },
    };
    const other = await startConsole({ store: endless, table: 'records' });
    const { host, hash } = new URL(other.url);
    const gone = new AbortController();
    const headers = { Authorization: `Bearer ${hash.slice('#token='.length)}` };
    await fetch(`http://${host}/api/records`, { headers, signal: gone.signal });
    const signal = await asked.promise;
    expect(signal.aborted).toBe(false);
    gone.abort();
    await expect.poll(() => signal.aborted).toBe(true);
    await other.stop();
  });

  it('with credentials that have expired says so, and not that the table is away', async () => {
    const cause = Object.assign(new Error('renew it'), { name: 'ExpiredTokenException' });
    const gone = new IdempotencyError('STORE_UNAVAILABLE', 'table "records" could not be reached', { cause });
    const other = await startConsole({ store: { ...store, scan: () => Promise.reject(gone) }, table: 'records' });
    expect(lines((await asking(other)('/api/records')).body).at(-1)).toEqual({
      failed: { code: 'STORE_UNAVAILABLE', message: 'these credentials cannot be used: renew it' },
    });
    await other.stop();
  });

  it('that fails on its way says so in a sentence', async () => {
    const failing: Store = { ...store, scan: () => Promise.reject(new Error('no more')) };
    const other = await startConsole({ store: failing, table: 'records' });
    expect(lines((await asking(other)('/api/records')).body).at(-1)).toEqual({
      failed: { code: 'STORE_UNAVAILABLE', message: 'the store failed' },
    });
    await other.stop();
  });
});
