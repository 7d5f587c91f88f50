import { retryInfo, retrying } from 'effectively-once/client';
import { describe, expect, it } from 'vitest';
import { API, failureOf, ORDERS, over, POST, type Reaction, scripted, virtualTime } from './scripted.ts';

virtualTime();

const problem = (code: string) => ({ type: `urn:effectively-once:${code}`, status: 409 });
const answer = (status: number, body?: unknown, headers?: Record<string, string>): Reaction => ({
  status,
  ...(body !== undefined && { body }),
  ...(headers && { headers }),
});

/** How often a request is sent that is always answered so, with three attempts and 60 s. */
async function sent(reaction: Reaction, init: RequestInit = POST): Promise<number> {
  const server = scripted(reaction);
  await over(retrying(server.fetch, { origins: [API] })(ORDERS, init));
  return server.requests.length;
}

describe('the table', () => {
  it.each([408, 425, 429, 500, 502, 503, 504])('%i is tried again', async (status) => {
    expect(await sent(status)).toBe(3);
    expect(await sent(status, { method: 'GET' })).toBe(3);
  });

  it.each([200, 201, 204, 304, 400, 401, 402, 403, 404, 409, 410, 412, 413, 415, 422, 501, 505])(
    '%i is an answer',
    async (status) => {
      const body = [204, 304].includes(status) ? null : 'text';
      expect(await sent(() => new Response(body, { status }))).toBe(1);
    },
  );

  it('no answer is tried again, and the last error is thrown', async () => {
    const server = scripted(new TypeError('one'), new TypeError('two'), new TypeError('three'));
    const error = await failureOf(retrying(server.fetch)(ORDERS));
    expect(error).toMatchObject({ message: 'three' });
    expect(server.requests).toHaveLength(3);
  });

  it('`attempts` says how often', async () => {
    for (const attempts of [1, 2, 5]) {
      const server = scripted(503);
      await over(retrying(server.fetch, { attempts })(ORDERS));
      expect(server.requests).toHaveLength(attempts);
    }
  });
});

describe('a 409 that is in flight is waited for, however often, until the deadline', () => {
  it.each<[string, Reaction]>([
    ['our problem type', answer(409, problem('conflict'))],
    ['our problem type of a lost lease', answer(409, problem('lease-lost'))],
    ['Retry-After', answer(409, undefined, { 'retry-after': '1' })],
    ["Stripe's code", answer(409, { error: { code: 'idempotency_key_in_use' } })],
    ["Stripe's header", answer(409, undefined, { 'stripe-should-retry': 'true' })],
    ["Adyen's code", answer(409, { errorCode: '704' })],
    ["Adyen's header", answer(409, undefined, { 'transient-error': 'true' })],
    ["Adyen's 422 with code 704", answer(422, { errorCode: '704' })],
    ["Adyen's 422 with code 704 and its header", answer(422, { errorCode: '704' }, { 'transient-error': 'true' })],
  ])('by %s', async (_, inFlight) => {
    const server = scripted(inFlight, inFlight, inFlight, inFlight, inFlight, 201);
    const response = await over(retrying(server.fetch, { origins: [API], attempts: 1 })(ORDERS, POST));
    expect(response.status).toBe(201);
    expect(retryInfo(response).attempts).toBe(6);
    expect(await sent(inFlight)).toBeGreaterThan(20);
  });

  it('costs no attempt: three failures are still tried', async () => {
    const inFlight = answer(409, problem('conflict'));
    const server = scripted(503, inFlight, inFlight, 503, inFlight, 201);
    const response = await over(retrying(server.fetch, { origins: [API] })(ORDERS, POST));
    expect(response.status).toBe(201);
  });

  it('polls back off, up to 2 s', async () => {
    const server = scripted(answer(409, problem('conflict')));
    await over(retrying(server.fetch, { origins: [API] })(ORDERS, POST));
    const times = server.times();
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(pauses.slice(0, 7)).toEqual([25, 50, 100, 200, 400, 800, 1_000]);
    expect(Math.max(...pauses)).toBe(1_000);
  });
});

describe('any other 409 is an answer', () => {
  it.each<[string, Reaction]>([
    ['without a mark', answer(409, { message: 'sold out' })],
    ['our unknown outcome', answer(409, problem('outcome-unknown'))],
    ['a problem of somebody else', answer(409, { type: 'urn:effectively-once:conflict-of-interest' })],
    ['that is no JSON', { status: 409 }],
    ['with a Retry-After that makes no sense', answer(409, undefined, { 'retry-after': 'soon' })],
    ['that should not be retried', answer(409, problem('conflict'), { 'stripe-should-retry': 'false' })],
    ['that is not transient', answer(409, { errorCode: '704' }, { 'transient-error': 'false', 'retry-after': '1' })],
  ])('%s', async (_, reaction) => {
    const server = scripted(reaction);
    const response = await over(retrying(server.fetch, { origins: [API] })(ORDERS, POST));
    expect(server.requests).toHaveLength(1);
    expect(await response.text()).not.toBe(''); // nobody has read it
  });
});

describe('the word of the server wins', () => {
  it.each<[string, Reaction, number]>([
    ['Stripe-Should-Retry: false on a 503', answer(503, undefined, { 'stripe-should-retry': 'false' }), 1],
    ['Stripe-Should-Retry: true on a 400', answer(400, undefined, { 'stripe-should-retry': 'true' }), 3],
    ['transient-error: false on a 503', answer(503, undefined, { 'transient-error': 'false' }), 1],
    ['transient-error: true on a 422', answer(422, undefined, { 'transient-error': 'true' }), 3],
    [
      'both, and they disagree',
      answer(503, undefined, { 'transient-error': 'true', 'stripe-should-retry': 'false' }),
      1,
    ],
    ['neither on a 422 of a mismatch', answer(422, { type: 'urn:effectively-once:mismatch' }), 1],
    ['neither on a 400 with code 704', answer(400, { errorCode: '704' }), 1],
    ['true on a 200', answer(200, undefined, { 'stripe-should-retry': 'true' }), 1],
  ])('%s', async (_, reaction, times) => {
    expect(await sent(reaction)).toBe(times);
  });
});

it('a replay says so', async () => {
  const server = scripted(503, answer(201, {}, { 'idempotent-replayed': 'true' }));
  const response = await over(retrying(server.fetch, { origins: [API] })(ORDERS, POST));
  expect(retryInfo(response)).toEqual({
    attempts: 2,
    replayed: true,
    key: server.keys()[0],
    replayable: true,
  });
});

it('of a response that is not its own, retryInfo tells what the headers say', () => {
  const response = new Response('', { headers: { 'idempotent-replayed': 'true' } });
  expect(retryInfo(response)).toEqual({ attempts: 1, replayed: true, key: undefined, replayable: false });
});

describe('an answer from elsewhere, after a redirect', () => {
  const redirected = (url: string) => () =>
    Object.defineProperties(new Response('', { status: 503 }), { redirected: { value: true }, url: { value: url } });

  it('of a server that may not honour the key is final', async () => {
    expect(await sent(redirected('https://other.example.com/orders'))).toBe(1);
  });

  it.each<[string, string, RequestInit]>([
    ['of the same server', `${API}/v2/orders`, POST],
    ['to a GET', 'https://other.example.com/orders', { method: 'GET' }],
  ])('%s is as any other', async (_, url, init) => {
    expect(await sent(redirected(url), init)).toBe(3);
  });
});
