import { intent, retrying } from 'effectively-once/client';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { canonical } from '../../src/client/canonical.ts';
import { canonicalJson } from '../../src/core/canonical.ts';
import { alike, browser, deferred, failing, type Sent, shop } from './browser.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const A = { item: 'book', amount: 1 };
const B = { item: 'book', amount: 2 };

describe('one key per intention', () => {
  it('the same payload has the same key, also after its outcome, until next()', async () => {
    const { storage } = browser();
    const { send, calls, keys } = shop();
    const checkout = intent('checkout', { storage });
    expect(await checkout.send(A, send)).toBe('order 1');
    expect(await checkout.send({ amount: 1, item: 'book' }, send)).toBe('order 1');
    await checkout.next();
    expect(await checkout.send(A, send)).toBe('order 2');
    expect(calls()).toBe(3);
    expect(keys()[0]).toBe(keys()[1]);
    expect(keys()[0]).not.toBe(keys()[2]);
  });

  it('two clicks share one call', async () => {
    const { storage } = browser();
    const { promise, resolve } = deferred<string>();
    const send = vi.fn((_key: string) => promise);
    const checkout = intent('checkout', { storage });
    const clicks = [checkout.send(A, send), checkout.send(alike(A), send)];
    resolve('order');
    expect(await Promise.all(clicks)).toEqual(['order', 'order']);
    expect(send).toHaveBeenCalledTimes(1);
  });

  it('and one failure; the next click sends it again, under the same key', async () => {
    const { storage } = browser();
    const { send, keys } = shop(failing(new TypeError('reset')));
    const checkout = intent('checkout', { storage });
    const clicks = [checkout.send(A, send), checkout.send(A, send)];
    for (const click of clicks) await expect(click).rejects.toThrow('reset');
    expect(await checkout.send(A, send)).toBe('order 1');
    expect(new Set(keys()).size).toBe(1);
    expect(keys()).toHaveLength(2);
  });

  it('after a reload, and with the back button, a payload still has its key', async () => {
    const { storage, reload } = browser();
    const { send, keys } = shop(failing(new TypeError('reset')));
    await intent('checkout', { storage })
      .send(A, send)
      .catch(() => {});
    expect(await intent('checkout', { storage: reload() }).send(A, send)).toBe('order 1');
    expect(await intent('checkout', { storage: reload() }).send(A, send)).toBe('order 1');
    expect(new Set(keys()).size).toBe(1);
  });

  it('a reload in the middle of the request too: the key is noted before it is sent', async () => {
    const { storage, reload } = browser();
    const { send, keys } = shop();
    const lost: Sent = (key) => send(key).then(() => new Promise(() => {}));
    void intent('checkout', { storage }).send(A, lost);
    await vi.waitFor(() => expect(keys()).toHaveLength(1));
    expect(await intent('checkout', { storage: reload() }).send(A, send)).toBe('order 1');
    expect(new Set(keys()).size).toBe(1);
  });

  it('other names are other intentions, and two intents of one name on one storage are one', async () => {
    const { storage } = browser();
    const { send, calls } = shop();
    const one = intent('checkout', { storage });
    const two = intent('checkout', { storage });
    expect(await Promise.all([one.send(A, send), two.send(A, send)])).toEqual(['order 1', 'order 1']);
    expect(calls()).toBe(1);
    expect(await intent('refund', { storage }).send(A, send)).toBe('order 2');
    await two.next();
    expect(await one.send(A, send)).toBe('order 3');
  });
});

describe('a changed payload', () => {
  it('has a key of its own; the first one again has its own again', async () => {
    const { storage } = browser();
    const { send, keys } = shop();
    const checkout = intent('checkout', { storage });
    expect(await checkout.send(A, send)).toBe('order 1');
    expect(await checkout.send(B, send)).toBe('order 2');
    expect(await checkout.send(A, send)).toBe('order 1');
    expect(keys()[2]).toBe(keys()[0]);
  });

  it('waits for the one that is under way', async () => {
    const { storage } = browser();
    const { promise, resolve } = deferred<string>();
    const { send, calls } = shop();
    const checkout = intent('checkout', { storage });
    const first = checkout.send(A, () => promise);
    const second = checkout.send(B, send);
    await new Promise(setImmediate);
    expect(calls()).toBe(0);
    resolve('first');
    expect([await first, await second]).toEqual(['first', 'order 1']);
  });

  it('waits until an earlier one that was rejected has been sent again, under its key', async () => {
    const { storage } = browser();
    const { send, log } = shop(failing(new TypeError('reset')));
    const checkout = intent('checkout', { storage });
    await expect(checkout.send(A, (key) => send(key, 'A'))).rejects.toThrow('reset');
    expect(await checkout.send(B, (key) => send(key, 'B'))).toBe('order 2');
    expect(log().map(({ what }) => what)).toEqual(['A', 'A', 'B']);
    expect(log()[0]?.key).toBe(log()[1]?.key);
  });

  it('is rejected if that fails again, and not sent', async () => {
    const { storage } = browser();
    const { send, log } = shop(failing(new TypeError('reset')), failing(new TypeError('still')));
    const checkout = intent('checkout', { storage });
    await checkout.send(A, (key) => send(key, 'A')).catch(() => {});
    const error = await checkout.send(B, (key) => send(key, 'B')).catch((error) => error);
    expect(error).toMatchObject({ name: 'UndecidedError', cause: new TypeError('still') });
    expect(log().map(({ what }) => what)).toEqual(['A', 'A']);
    expect(await checkout.send(B, (key) => send(key, 'B'))).toBe('order 2');
  });

  it('is rejected, and nothing is sent, if the earlier one was changed in place: its key would order something else', async () => {
    const { storage } = browser();
    const { send, log } = shop(failing(new TypeError('reset')));
    const checkout = intent('checkout', { storage });
    const cart = { items: ['book'] };
    const place = (key: string) => send(key, cart.items.join());
    await checkout.send(cart, place).catch(() => {});
    cart.items.push('pen');
    const changed = new TypeError('the payload changed');
    await expect(checkout.send(cart, place)).rejects.toMatchObject({ name: 'UndecidedError', cause: changed });
    expect(log().map(({ what }) => what)).toEqual(['book']);
  });

  it('so is one that is changed while it waits for its turn, of which nothing is noted', async () => {
    const { storage, items } = browser();
    const { promise, resolve } = deferred<string>();
    const { send, calls } = shop();
    const checkout = intent('checkout', { storage });
    const first = checkout.send(A, () => promise);
    const cart = { items: ['book'] };
    const second = checkout.send(cart, send);
    cart.items.push('pen');
    resolve('first');
    await first;
    const before = items.get('effectively-once:checkout');
    await expect(second).rejects.toThrow('the payload changed');
    expect([calls(), items.get('effectively-once:checkout')]).toEqual([0, before]);
  });

  it('is rejected at once after a reload, until the first is sent again', async () => {
    const { storage, reload } = browser();
    const { send, log } = shop(failing(new TypeError('reset')));
    await intent('checkout', { storage })
      .send(A, (key) => send(key, 'A'))
      .catch(() => {});
    const checkout = intent('checkout', { storage: reload() });
    await expect(checkout.send(B, (key) => send(key, 'B'))).rejects.toMatchObject({ name: 'UndecidedError' });
    expect(await checkout.send(A, (key) => send(key, 'A'))).toBe('order 1');
    expect(await checkout.send(B, (key) => send(key, 'B'))).toBe('order 2');
    expect(log().map(({ what }) => what)).toEqual(['A', 'A', 'B']);
  });

  it('or until next()', async () => {
    const { storage, reload } = browser();
    await intent('checkout', { storage })
      .send(A, () => Promise.reject(new TypeError('reset')))
      .catch(() => {});
    const checkout = intent('checkout', { storage: reload() });
    await expect(checkout.send(B, async () => 'B')).rejects.toMatchObject({ name: 'UndecidedError' });
    await checkout.next();
    expect(await checkout.send(B, async () => 'B')).toBe('B');
  });
});

describe('what tells what became of a request', () => {
  const response = (status: number, headers = {}) => new Response('', { status, headers });
  const decided = async (call: Sent) => {
    const { storage, reload } = browser();
    await intent('checkout', { storage })
      .send(A, call)
      .catch(() => {});
    return intent('checkout', { storage: reload() })
      .send(B, async () => true)
      .catch(() => false);
  };

  it.each([200, 201, 400, 402, 409, 410, 422])('a response %i, or an error with it', async (status) => {
    expect(await decided(async () => response(status))).toBe(true);
    if (status >= 400) expect(await decided(failing({ response: response(status) }))).toBe(true);
    if (status >= 400 && status !== 409) expect(await decided(failing({ status }))).toBe(true);
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('but not a %i', async (status) => {
    expect(await decided(async () => response(status))).toBe(false);
    expect(await decided(failing({ response: response(status) }))).toBe(false);
    expect(await decided(failing({ status }))).toBe(false);
  });

  it('nor a 409 that is in flight, an error without a status, or one that is none', async () => {
    expect(await decided(async () => response(409, { 'retry-after': '1' }))).toBe(false);
    expect(await decided(failing({ status: 409 }))).toBe(false);
    expect(await decided(failing(new TypeError('reset')))).toBe(false);
    expect(await decided(failing(undefined))).toBe(false);
  });

  it.each<[string, number, object, Record<string, string>?]>([
    ['our conflict', 409, { type: 'urn:effectively-once:conflict' }],
    ['our outcome that nobody knows', 409, { type: 'urn:effectively-once:outcome-unknown' }],
    ['that of Stripe', 409, { error: { code: 'idempotency_key_in_use' } }],
    ['that of Adyen', 422, { errorCode: '704' }],
    ['that of Adyen, by its header', 409, {}, { 'transient-error': 'true' }],
  ])('nor an answer of which `retrying` knows that it tells nothing: %s', async (_, status, body, headers = {}) => {
    const answer = () => Response.json(body, { status, headers });
    const send = retrying(async () => answer(), { attempts: 1, deadline: 20 });
    const call = (key: string) =>
      send('https://api.example.com', { method: 'POST', headers: { 'idempotency-key': key } });
    expect(await decided(call)).toBe(false);
    expect(await decided(async (key) => Promise.reject({ response: await call(key) }))).toBe(false);
  });

  it('nor our outcome that nobody knows, where the request could be sent only once', async () => {
    const unknown = { type: 'urn:effectively-once:outcome-unknown' };
    const send = retrying(async () => Response.json(unknown, { status: 409 }));
    const body = () => new Blob(['cart']).stream();
    const call = (key: string) =>
      send('https://api.example.com', {
        method: 'POST',
        body: body(),
        duplex: 'half',
        headers: { 'idempotency-key': key },
      } as RequestInit);
    expect(await decided(call)).toBe(false);
  });

  it.each<[string, object]>([
    ['a conflict of the domain', { type: 'urn:shop:conflict' }],
    ['one that is sold out', { error: { code: 'sold_out' } }],
    ['one whose key was used for something else', { type: 'urn:effectively-once:mismatch' }],
  ])('but %s does', async (_, body) => {
    const send = retrying(async () => Response.json(body, { status: 409 }));
    const call = (key: string) =>
      send('https://api.example.com', { method: 'POST', headers: { 'idempotency-key': key } });
    expect(await decided(call)).toBe(true);
  });

  it('so does a 409 of axios, whose headers give `undefined` for one that is not there', async () => {
    const headers = (retryAfter?: string) => ({
      get: (name: string) => (name === 'retry-after' ? retryAfter : undefined),
    });
    expect(await decided(failing({ response: { status: 409, headers: headers() } }))).toBe(true);
    expect(await decided(failing({ response: { status: 409, headers: headers('1') } }))).toBe(false);
  });

  it('a value that is no response does, whatever it is', async () => {
    for (const value of [undefined, null, { status: 503 }, { headers: new Map(), rows: 1 }, 'text'])
      expect(await decided(async () => value)).toBe(true);
  });
});

describe('next()', () => {
  it('waits for what is in flight', async () => {
    const { storage } = browser();
    const { promise, resolve } = deferred<string>();
    const checkout = intent('checkout', { storage });
    const keys: string[] = [];
    const noting = (outcome: unknown) => async (key: string) => {
      keys.push(key);
      return outcome;
    };
    const first = checkout.send(A, noting(promise));
    const done = vi.fn();
    const next = checkout.next().then(done);
    const second = checkout.send(A, noting('second'));
    await new Promise(setImmediate);
    expect(done).not.toHaveBeenCalled();
    resolve('first');
    expect([await first, await next, await second]).toEqual(['first', undefined, 'second']);
    expect(new Set(keys).size).toBe(2);
  });

  it('leaves nothing in the storage', async () => {
    const { storage, items } = browser();
    const checkout = intent('checkout', { storage });
    await checkout.send(A, async () => 'A');
    expect(items.size).toBe(1);
    await checkout.next();
    expect(items.size).toBe(0);
  });
});

describe('the storage', () => {
  it('has the key, and nothing of the payload', async () => {
    const { storage, items } = browser();
    const { send, keys } = shop();
    await intent('checkout', { storage }).send({ card: '4242424242424242' }, send);
    expect([...items.values()].join()).toContain(keys()[0]);
    expect([...items.values()].join()).not.toContain('4242');
  });

  it.each(['getItem', 'setItem'] as const)(
    'that is denied or full (%s) is an error before anything is sent',
    async (method) => {
      const full = new DOMException('full', 'QuotaExceededError');
      const { storage } = browser();
      storage[method] = () => {
        throw full;
      };
      const { send, calls } = shop();
      const error = await intent('checkout', { storage })
        .send(A, send)
        .catch((error) => error);
      expect(error).toMatchObject({ message: 'the storage failed', cause: full });
      expect(calls()).toBe(0);
    },
  );

  it('that is full only when the outcome comes does not take it away', async () => {
    const { storage } = browser();
    const checkout = intent('checkout', { storage });
    const call: Sent = async () => {
      storage.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
      return 'order';
    };
    expect(await checkout.send(A, call)).toBe('order');
    expect(await checkout.send(A, call)).toBe('order');
  });

  it('with something else under its name is an error, until next()', async () => {
    const { storage, items } = browser();
    items.set('effectively-once:checkout', 'no JSON');
    const checkout = intent('checkout', { storage });
    await expect(checkout.send(A, async () => 'A')).rejects.toThrow('the storage failed');
    await checkout.next();
    expect(await checkout.send(A, async () => 'A')).toBe('A');
  });

  it('and the name must be given', () => {
    const { storage } = browser();
    expect(() => intent('', { storage })).toThrow(TypeError);
    expect(() => intent('checkout', {} as never)).toThrow(TypeError);
  });
});

describe('several tabs', () => {
  it('with localStorage and Web Locks make one order', async () => {
    const { storage, reload } = browser({ locks: true });
    const { send, keys } = shop();
    const tabs = [storage, reload(), reload()].map((storage) => intent('checkout', { storage }));
    const orders = await Promise.all(tabs.map((tab) => tab.send(A, send)));
    expect(new Set(orders)).toEqual(new Set(['order 1']));
    expect(new Set(keys()).size).toBe(1);
  });

  it('with Web Locks, one that changed its cart waits for the other', async () => {
    const { storage, reload } = browser({ locks: true });
    const { promise, resolve } = deferred<string>();
    const order: string[] = [];
    const first = intent('checkout', { storage }).send(A, () => promise.then(() => order.push('A')));
    const second = intent('checkout', { storage: reload() }).send(B, async () => order.push('B'));
    await new Promise(setImmediate);
    resolve('done');
    await Promise.all([first, second]);
    expect(order).toEqual(['A', 'B']);
  });

  it('without Web Locks (a page that is not secure), or where they are denied, each tab is on its own', async () => {
    for (const locks of [false, 'denied'] as const) {
      const { storage, reload } = browser({ locks });
      const { send } = shop();
      const tabs = [storage, reload()].map((storage) => intent('checkout', { storage }));
      for (const tab of tabs) expect(await tab.send(A, send)).toBe('order 1'); // one after the other: the same key
      const failure = new Error('no');
      await expect(intent('other', { storage }).send(A, failing(failure))).rejects.toBe(failure);
    }
  });

  it('with sessionStorage each tab is on its own, and waits for no other', async () => {
    const page = browser({ locks: true });
    vi.stubGlobal('sessionStorage', page.storage);
    const request = vi.spyOn(navigator.locks, 'request');
    await intent('checkout', { storage: page.storage }).send(A, async () => 'A');
    expect(request).not.toHaveBeenCalled();
  });

  it('where sessionStorage is denied, another storage is used all the same', async () => {
    const { storage } = browser({ locks: true });
    vi.stubGlobal('sessionStorage', undefined);
    Object.defineProperty(globalThis, 'sessionStorage', {
      configurable: true,
      get: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    });
    expect(await intent('checkout', { storage }).send(A, async () => 'A')).toBe('A');
  });

  it('by the Web Locks of Node.js itself make one order', async () => {
    const { storage, reload } = browser({ locks: 'real' });
    const { send, keys } = shop();
    const tabs = [storage, reload()].map((storage) => intent('checkout', { storage }));
    await Promise.all(tabs.map((tab) => tab.send(A, send)));
    expect(new Set(keys()).size).toBe(1);
  });
});

describe('payloads are compared as canonical JSON', () => {
  const same = (a: unknown, b: unknown) => canonical(a) === canonical(b);

  it('as the server does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(same(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
        expect(same(a, alike(a))).toBe(true);
      }),
    );
  });

  it.each([
    ['a Map', new Map()],
    ['NaN', { amount: Number.NaN }],
    ['a BigInt', { amount: 1n }],
    ['a function', { call: () => {} }],
    ['a symbol', [Symbol('a')]],
    ['undefined in an array', [undefined]],
    ['undefined', undefined],
    ['bytes', new Uint8Array(2)],
  ])('%s is a TypeError before anything is sent', async (_, payload) => {
    const { send, calls } = shop();
    await expect(intent('checkout', { storage: browser().storage }).send(payload, send)).rejects.toThrow(TypeError);
    expect(calls()).toBe(0);
  });

  it('a cycle, too', async () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    await expect(intent('checkout', { storage: browser().storage }).send(cycle, async () => 1)).rejects.toThrow(
      TypeError,
    );
  });

  it('undefined members are as absent, and dates are texts', () => {
    expect(same({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(same({ at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' })).toBe(true);
  });
});
