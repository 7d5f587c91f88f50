import { retryInfo, retrying } from 'effectively-once/client';
import { describe, expect, it } from 'vitest';
import { API, failureOf, ORDERS, over, POST, scripted, virtualTime } from './scripted.ts';

virtualTime();

/** The texts and types of the bodies that are sent, of which two fail. */
async function bodiesOf(...args: Parameters<typeof fetch>): Promise<string[]> {
  const bodies: string[] = [];
  const server = scripted(async (request) => {
    bodies.push(`${request.headers.get('content-type')} ${await request.text()}`);
    return new Response('', { status: bodies.length < 3 ? 503 : 201 });
  });
  await over(retrying(server.fetch, { origins: [API] })(...args));
  return bodies;
}

describe('each attempt has the same body', () => {
  const form = () => {
    const data = new FormData();
    data.set('item', 'book');
    data.set('cover', new Blob(['picture'], { type: 'image/png' }), 'cover.png');
    return data;
  };

  it.each<[string, () => Parameters<typeof fetch>]>([
    ['text', () => [ORDERS, { method: 'POST', body: 'text' }]],
    ['bytes', () => [ORDERS, { method: 'POST', body: new TextEncoder().encode('bytes') }]],
    ['a Blob', () => [ORDERS, { method: 'POST', body: new Blob(['blob'], { type: 'text/x' }) }]],
    ['parameters', () => [ORDERS, { method: 'POST', body: new URLSearchParams({ item: 'book' }) }]],
    ['a form, with one boundary', () => [ORDERS, { method: 'POST', body: form() }]],
    ['a Request', () => [new Request(ORDERS, POST)]],
    ['a Request with a form', () => [new Request(ORDERS, { method: 'POST', body: form() })]],
    ['a Request and an init', () => [new Request(ORDERS, POST), { body: 'other' }]],
    ['a Request as init', () => [ORDERS, new Request(`${API}/old`, POST) as RequestInit]],
    ['none', () => [ORDERS, { method: 'POST' }]],
  ])('%s', async (_, args) => {
    const bodies = await bodiesOf(...args());
    expect(bodies).toHaveLength(3);
    expect(new Set(bodies).size).toBe(1);
    const alone = new Request(...args());
    const type = alone.headers.get('content-type')?.split('boundary')[0] ?? null;
    expect(bodies[0]).toContain(`${type}`);
    if (!type?.includes('multipart')) expect(bodies[0]).toBe(`${type} ${await alone.text()}`);
    else expect(bodies[0]).toContain('picture');
  });

  it('what the caller changes meanwhile is not sent', async () => {
    const bytes = new TextEncoder().encode('bytes');
    const headers = { 'content-type': 'text/x' };
    const call = bodiesOf(ORDERS, { method: 'POST', body: bytes, headers });
    bytes.fill(65);
    headers['content-type'] = 'text/y';
    expect(new Set(await call)).toEqual(new Set(['text/x bytes']));
  });
});

describe('the address is what it was when the call began', () => {
  it('of a URL that is used again, and that changes before a retry', async () => {
    const server = scripted(200, 200, 503, 200);
    const send = retrying(server.fetch, { origins: [API] });
    const url = new URL(ORDERS);
    const calls = ['1', '2', '3'].map((page) => {
      url.searchParams.set('page', page);
      return send(url, POST);
    });
    await over(Promise.all(calls));
    expect(server.requests.map((request) => new URL(request.url).searchParams.get('page'))).toEqual([
      '1',
      '2',
      '3',
      '3',
    ]);
  });
});

it('an init of null is none, as for fetch', async () => {
  expect((await over(retrying(scripted(200).fetch)(ORDERS, null as never))).status).toBe(200);
});

describe('a stream', () => {
  const stream = () => new Blob(['stream']).stream();
  async function* chunks() {
    yield new TextEncoder().encode('chunk');
  }

  it.each<[string, () => unknown]>([
    ['ReadableStream', stream],
    ['async iterable', chunks],
  ])('(%s) is sent once, with a key; its 503 is returned, and says so', async (_, body) => {
    const server = scripted(503);
    const init = { method: 'POST', body: body(), duplex: 'half' } as RequestInit;
    const response = await over(retrying(server.fetch, { origins: [API] })(ORDERS, init));
    expect(response.status).toBe(503);
    expect(retryInfo(response)).toEqual({ attempts: 1, replayed: false, key: server.keys()[0], replayable: false });
    expect(server.keys()).not.toEqual([null]);
  });

  it('is whole', async () => {
    let sent = '';
    const server = scripted(async (request) => {
      sent = await request.text();
      return new Response();
    });
    await over(retrying(server.fetch)(ORDERS, { method: 'PUT', body: stream(), duplex: 'half' } as RequestInit));
    expect(sent).toBe('stream');
  });

  it('is whole beside a Request, too', async () => {
    let sent = '';
    const server = scripted(async (request) => {
      sent = await request.text();
      return new Response();
    });
    const init = { body: stream(), duplex: 'half' } as RequestInit;
    await over(retrying(server.fetch)(new Request(ORDERS, POST), init));
    expect(sent).toBe('stream');
  });

  it('that meets no answer is not sent again', async () => {
    const server = scripted(new TypeError('reset'));
    const init = { method: 'PUT', body: stream(), duplex: 'half' } as RequestInit;
    expect(await failureOf(retrying(server.fetch)(ORDERS, init))).toMatchObject({ attempts: [{}] });
    expect(server.requests).toHaveLength(1);
  });
});

describe('answers', () => {
  it('that are not returned are cancelled, and the one that is is whole', async () => {
    const server = scripted(503, 502, { status: 409, headers: { 'retry-after': '0' } }, { status: 201, body: 'done' });
    const response = await over(retrying(server.fetch, { origins: [API] })(ORDERS, POST));
    expect(server.answers.slice(0, 3).map(({ bodyUsed }) => bodyUsed)).toEqual([true, true, true]);
    expect(await response.json()).toBe('done');
  });

  it('a 409 whose body never ends is an answer', async () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"type":')),
    });
    const server = scripted(() => new Response(body, { status: 409, headers: { 'content-type': 'application/json' } }));
    const response = await over(retrying(server.fetch, { origins: [API] })(ORDERS, POST));
    expect([response.status, server.requests.length]).toEqual([409, 1]);
  });

  it('are those of fetch: a redirect that is not followed is one', async () => {
    const server = scripted(() => Response.redirect(`${API}/there`, 307));
    const response = await over(retrying(server.fetch)(ORDERS, { redirect: 'manual' }));
    expect([response.status, server.requests[0]?.redirect]).toEqual([307, 'manual']);
  });
});

describe('what a caller gives goes on in its form', () => {
  it('an address with its init, so that a wrapper may add headers to it', async () => {
    const seen: unknown[] = [];
    const wrapper: typeof fetch = async (input, init) => {
      const headers = { ...(init?.headers as Record<string, string>), authorization: 'Bearer token' };
      seen.push([input, new Headers(headers).get('idempotency-key'), new Headers(headers).get('content-type')]);
      return new Response('', { status: seen.length < 2 ? 503 : 201 });
    };
    const response = await over(retrying(wrapper, { origins: [API] })(ORDERS, POST));
    const { key } = retryInfo(response);
    expect(seen).toEqual(Array(2).fill([ORDERS, key, 'application/json']));
  });

  it('what is not of the standard, such as a dispatcher', async () => {
    const seen: unknown[] = [];
    const custom: typeof fetch = async (_, init) => {
      seen.push((init as { next?: unknown }).next);
      return new Response();
    };
    const init = { next: { revalidate: 1 } } as RequestInit;
    await over(retrying(custom)(ORDERS, init));
    await over(retrying(custom)(new Request(ORDERS), init));
    expect(seen).toEqual([{ revalidate: 1 }, { revalidate: 1 }]);
  });
});
