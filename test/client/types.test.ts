import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { intent, type RetryInfo, retryInfo, retrying } from 'effectively-once/client';
import ky from 'ky';
import createClient from 'openapi-fetch';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { browser } from './browser.ts';
import { API, over, scripted, virtualTime } from './scripted.ts';

interface paths {
  '/orders': {
    post: {
      requestBody: { content: { 'application/json': { item: string } } };
      responses: { 201: { content: { 'application/json': { orderId: string } } } };
    };
  };
}

describe('clients that take a fetch take this one', () => {
  virtualTime();
  const order = { item: 'book' };
  const script = () => scripted(503, { status: 201, body: { orderId: 'o-1' } });

  it('ky', async () => {
    const server = script();
    const api = ky.create({ fetch: retrying(server.fetch, { origins: [API] }), retry: 0, timeout: false });
    expect(await over(api.post(`${API}/orders`, { json: order }).json())).toEqual({ orderId: 'o-1' });
    expect(new Set(server.keys()).size).toBe(1);
    expect(await Promise.all(server.requests.map((request) => request.json()))).toEqual([order, order]);
  });

  it('openapi-fetch', async () => {
    const server = script();
    const client = createClient<paths>({ baseUrl: API, fetch: retrying(server.fetch, { origins: [API] }) });
    const { data } = await over(client.POST('/orders', { body: order }));
    expectTypeOf(data).toEqualTypeOf<{ orderId: string } | undefined>();
    expect(data).toEqual({ orderId: 'o-1' });
    expect(new Set(server.keys()).size).toBe(1);
  });

  it('plain code: it is a fetch', () => {
    expectTypeOf(retrying()).toEqualTypeOf<typeof fetch>();
    expectTypeOf(retrying).parameter(0).toEqualTypeOf<typeof fetch | undefined>();
    expectTypeOf(retryInfo).returns.toEqualTypeOf<RetryInfo>();
  });

  it('an intent gives back what the call gives', () => {
    const { send, next } = intent('checkout', { storage: browser().storage });
    const call = () => send({}, async (key) => key.length);
    expectTypeOf(call).returns.resolves.toEqualTypeOf<number>();
    expectTypeOf(next).returns.resolves.toEqualTypeOf<void>();
  });
});

it('a page without the types of Node.js compiles it', () => {
  const folder = mkdtempSync(join(import.meta.dirname, 'page-'));
  try {
    const page = join(folder, 'page.ts');
    writeFileSync(
      page,
      `import { intent, retrying } from '../../../src/client/index.ts';
const send: typeof window.fetch = retrying(window.fetch.bind(window), { origins: [location.origin] });
export const order = intent('checkout', { storage: localStorage }).send({}, (key) =>
  send('/orders', { method: 'POST', headers: { 'Idempotency-Key': key } }));
`,
    );
    const options = ['--lib', 'es2022,dom,dom.iterable', '--types', '', '--module', 'preserve', '--target', 'es2022'];
    const more = ['--strict', '--noEmit', '--allowImportingTsExtensions', '--ignoreConfig', page];
    const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
    expect(execFileSync(process.execPath, [tsc, ...options, ...more], { encoding: 'utf8' })).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
