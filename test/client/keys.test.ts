import { retryInfo, retrying } from 'effectively-once/client';
import { describe, expect, it, vi } from 'vitest';
import { API, failureOf, ORDERS, over, POST, scripted, virtualTime } from './scripted.ts';

virtualTime();

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const withKey = (key: string, init: RequestInit = POST) => ({ ...init, headers: { 'Idempotency-Key': key } });

describe('at an origin that honours keys', () => {
  it.each(['POST', 'PATCH', 'patch'])('%s is given one key, which all attempts have', async (method) => {
    const server = scripted(503, new TypeError('reset'), 201);
    const response = await over(retrying(server.fetch, { origins: [API] })(ORDERS, { ...POST, method }));
    const { key } = retryInfo(response);
    expect(key).toMatch(UUID);
    expect(server.keys()).toEqual([key, key, key]);
  });

  it('another call has another key', async () => {
    const server = scripted(201);
    const send = retrying(server.fetch, { origins: [API] });
    await over(send(ORDERS, POST));
    await over(send(ORDERS, POST));
    expect(new Set(server.keys()).size).toBe(2);
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s is given none', async (method) => {
    const server = scripted(503, 200);
    await over(retrying(server.fetch, { origins: [API] })(ORDERS, { method }));
    expect(server.keys()).toEqual([null, null]);
  });

  it('a key of the caller is left as it is', async () => {
    const server = scripted(503, 201);
    const send = retrying(server.fetch, { origins: [API], keyFormat: 'quoted' });
    const response = await over(send(ORDERS, withKey('order-1')));
    expect(server.keys()).toEqual(['order-1', 'order-1']);
    expect(retryInfo(response).key).toBe('order-1');
  });

  it('an empty key is none: it is replaced', async () => {
    const server = scripted(201);
    await over(retrying(server.fetch, { origins: [API] })(ORDERS, withKey('')));
    expect(server.keys()).toEqual([expect.stringMatching(UUID)]);
  });

  it('a minted key is quoted if `keyFormat` says so, and told without its quotes', async () => {
    const server = scripted(201);
    const response = await over(retrying(server.fetch, { origins: [API], keyFormat: 'quoted' })(ORDERS, POST));
    expect(server.keys()).toEqual([`"${retryInfo(response).key}"`]);
    expect(retryInfo(response).key).toMatch(UUID);
  });

  it('a page that is not secure has no crypto.randomUUID: keys are minted all the same', async () => {
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const server = scripted(201);
    const send = retrying(server.fetch, { origins: [API] });
    for (let call = 0; call < 20; call++) await over(send(ORDERS, POST));
    expect(new Set(server.keys()).size).toBe(20);
    for (const key of server.keys()) expect(key).toMatch(/^\d+(-\d+){3}$/);
  });
});

describe('elsewhere', () => {
  it('nothing is added, and a POST without a key is sent once, whatever comes', async () => {
    for (const reaction of [503, 429, { status: 409, headers: { 'retry-after': '1' } }]) {
      const server = scripted(reaction);
      const response = await over(retrying(server.fetch)(ORDERS, POST));
      expect(server.keys()).toEqual([null]);
      expect(retryInfo(response)).toEqual({ attempts: 1, replayed: false, key: undefined, replayable: false });
    }
    const server = scripted(new TypeError('reset'));
    expect(await failureOf(retrying(server.fetch)(ORDERS, POST))).toMatchObject({ message: 'reset' });
    expect(server.keys()).toEqual([null]);
  });

  it('an empty key is none: the POST is sent once', async () => {
    const server = scripted(503);
    await over(retrying(server.fetch)(ORDERS, withKey('')));
    expect(server.requests).toHaveLength(1);
  });

  it("the caller's key is the caller's word: it is tried again", async () => {
    const server = scripted(503, 201);
    expect((await over(retrying(server.fetch)(ORDERS, withKey('order-1')))).status).toBe(201);
    expect(server.keys()).toEqual(['order-1', 'order-1']);
  });

  it('a method that nobody knows is sent once', async () => {
    const server = scripted(503);
    await over(retrying(server.fetch, { origins: [API] })(ORDERS, { method: 'LOCK' }));
    expect(server.requests).toHaveLength(1);
  });
});

describe('by default', () => {
  it('a page, which is where `document` is, gives keys to its own origin alone', async () => {
    vi.stubGlobal('document', {});
    vi.stubGlobal('location', { origin: API });
    const server = scripted(201);
    const send = retrying(server.fetch);
    await over(send(ORDERS, POST));
    await over(send('https://other.example.com/orders', POST));
    expect(server.keys()).toEqual([expect.stringMatching(UUID), null]);
  });

  it('a worker has a location, and is no page', async () => {
    vi.stubGlobal('location', { origin: API });
    const server = scripted(201);
    await over(retrying(server.fetch, { origins: undefined })(ORDERS, POST));
    expect(server.keys()).toEqual([null]);
  });
});

describe('a key that no server can take is a TypeError before anything is sent', () => {
  it.each([
    ['300 characters', 'k'.repeat(300)],
    ['256 characters', 'k'.repeat(256)],
    ['256 characters in quotes', `"${'k'.repeat(256)}"`],
    ['an umlaut', 'schlüssel'],
    ['a control character', 'a\tb'],
    ['a snowman', '☃'],
  ])('%s', async (_, key) => {
    const server = scripted(201);
    expect(await failureOf(retrying(server.fetch)(ORDERS, withKey(key)))).toBeInstanceOf(TypeError);
    expect(server.requests).toEqual([]);
  });

  it('255 characters are taken, without the quotes around them', async () => {
    const server = scripted(201);
    for (const key of ['k'.repeat(255), `"${'k'.repeat(255)}"`]) {
      const response = await over(retrying(server.fetch)(ORDERS, withKey(key)));
      expect(retryInfo(response).key).toBe('k'.repeat(255));
    }
  });

  it('a quoted key is told without its escapes', async () => {
    const response = await over(retrying(scripted(201).fetch)(ORDERS, withKey(String.raw`"a\"b\\c"`)));
    expect(retryInfo(response).key).toBe(String.raw`a"b\c`);
  });
});
