import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';
import { dynamoDBStore, IdempotencyError, idempotent, memoryStore, type Store } from 'effectively-once';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpEvent } from './events.ts';
import { lambdaContext } from './ways.ts';

let store: Store;
let runs: number;
let response: unknown;
beforeEach(() => {
  store = memoryStore();
  runs = 0;
  response = { statusCode: 201, headers: { 'Content-Type': 'application/json' }, body: '{"id":1}' };
});
afterEach(() => vi.restoreAllMocks());

const send = async (event: unknown): Promise<any> => {
  const handler = idempotent(
    async () => {
      runs++;
      return response;
    },
    { store, scope: 'test' },
  );
  return handler(event, lambdaContext());
};

const v2 = (event: Partial<APIGatewayProxyEventV2> = {}) => httpEvent({ key: 'k', body: { amount: 1 }, event });
const urlEvent = (event: Partial<APIGatewayProxyEventV2> = {}) =>
  v2({ routeKey: '$default', rawPath: '/orders', ...event });
const rest = (event: Partial<APIGatewayProxyEvent> = {}) =>
  ({
    httpMethod: 'POST',
    path: '/orders',
    resource: '/orders',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'k' },
    multiValueHeaders: { 'Content-Type': ['application/json'], 'Idempotency-Key': ['k'] },
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    body: '{"amount":1}',
    isBase64Encoded: false,
    requestContext: { requestId: 'r', resourcePath: '/orders', authorizer: null, identity: {} },
    ...event,
  }) as unknown as APIGatewayProxyEvent;
const alb = (event: Partial<ALBEvent> = {}): ALBEvent => ({
  httpMethod: 'POST',
  path: '/orders',
  headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
  queryStringParameters: {},
  body: '{"amount":1}',
  isBase64Encoded: false,
  requestContext: { elb: { targetGroupArn: 'arn' } },
  ...event,
});
const albMulti = (event: Partial<ALBEvent> = {}): ALBEvent => {
  const { headers, queryStringParameters, ...rest } = alb();
  const multiValueHeaders = { 'content-type': ['application/json'], 'idempotency-key': ['k'] };
  return { ...rest, multiValueHeaders, multiValueQueryStringParameters: {}, ...event };
};

const SOURCES: [string, (event?: any) => any][] = [
  ['an HTTP API', v2],
  ['a function URL', urlEvent],
  ['a REST API', rest],
  ['an ALB', alb],
  ['an ALB with multi-value headers', albMulti],
];

describe.each(SOURCES)('%s', (name, eventOf) => {
  const multi = name.includes('multi-value');
  const withKey = (...values: string[]) =>
    multi || name === 'a REST API'
      ? eventOf({
          multiValueHeaders: { 'IDEMPOTENCY-key': values },
          headers: multi ? undefined : { 'IDEMPOTENCY-key': values.at(-1) },
        })
      : eventOf({ headers: { 'IDEMPOTENCY-key': values.join(',') } });

  it('runs the first, and replays it to a duplicate with Idempotent-Replayed', async () => {
    const first = await send(eventOf());
    expect(first).toEqual(response);
    const { headers, multiValueHeaders, ...replay } = await send(eventOf());
    expect(replay).toEqual({ statusCode: 201, body: '{"id":1}' });
    if (multi) expect(multiValueHeaders).toEqual({ 'Idempotent-Replayed': ['true'] });
    else expect(headers).toEqual({ 'Content-Type': 'application/json', 'Idempotent-Replayed': 'true' });
    expect(runs).toBe(1);
  });

  it('takes the key in any case, bare or quoted: it is one key', async () => {
    await send(withKey('abc'));
    await send(withKey('"abc"'));
    await send(withKey(' abc '));
    expect(runs).toBe(1);
    await send(withKey('"a,b"'));
    await send(withKey('"a,b"'));
    await send(withKey('"a\\"b"'));
    expect(runs).toBe(3);
  });

  it.each([
    ['two values', ['a', 'b']],
    ['two that are equal', ['a', 'a']],
    ['a comma', ['a,b']],
    ['a half-open quote', ['"a']],
    ['two quoted', ['"a", "b"']],
    ['256 characters', ['x'.repeat(256)]],
    ['a control character', ['a\tb']],
    ['what is not ASCII', ['ü']],
  ])('answers 400 to a key with %s', async (_, values) => {
    const refused = await send(withKey(...values));
    expect(refused).toMatchObject({ statusCode: 400 });
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'KEY_INVALID', type: 'urn:effectively-once:key-invalid' });
    expect(runs).toBe(0);
  });

  it.each(['', '""', '   '])('answers 400 to a missing key: %j', async (value) => {
    const refused = await send(withKey(value));
    expect(JSON.parse(refused.body)).toMatchObject({ status: 400, code: 'KEY_MISSING' });
  });

  it('takes 255 characters', async () => {
    expect(await send(withKey('x'.repeat(255)))).toMatchObject({ statusCode: 201 });
  });

  it('answers 422 to another body under the key', async () => {
    await send(eventOf());
    const refused = await send(eventOf({ body: '{"amount":2}' }));
    expect(JSON.parse(refused.body)).toMatchObject({
      status: 422,
      code: 'MISMATCH',
      title: 'Idempotency-Key is already used',
    });
    const headers = { 'Content-Type': 'application/problem+json' };
    if (multi) expect(refused.multiValueHeaders).toEqual({ 'Content-Type': ['application/problem+json'] });
    else expect(refused.headers).toEqual(headers);
  });

  it('takes JSON bodies for equal that are, decoded or not', async () => {
    await send(eventOf({ body: '{"a":1,"b":2}' }));
    const body = Buffer.from('{ "b": 2, "a": 1.0 }').toString('base64');
    expect(await send(eventOf({ body, isBase64Encoded: true }))).toMatchObject({ statusCode: 201 });
    expect(runs).toBe(1);
  });

  it('tells numbers apart that a double cannot, and bytes that are no text', async () => {
    await send(eventOf({ body: '{"to":9007199254740993}' }));
    expect(await send(eventOf({ body: '{"to":9007199254740992}' }))).toMatchObject({ statusCode: 422 });
    runs = 0;
    store = memoryStore();
    const bytes = (byte: number) => Buffer.from([0x22, byte, 0x22]).toString('base64');
    await send(eventOf({ body: bytes(0xff), isBase64Encoded: true }));
    expect(await send(eventOf({ body: bytes(0xfe), isBase64Encoded: true }))).toMatchObject({ statusCode: 422 });
  });

  it('survives a body that is not JSON, though it says so', async () => {
    await send(eventOf({ body: '{"a":' }));
    expect(await send(eventOf({ body: '{"a":' }))).toMatchObject({ statusCode: 201 });
    expect(await send(eventOf({ body: '{"a": ' }))).toMatchObject({ statusCode: 422 });
  });

  it('replays binary and cookie-setting responses as they are', async () => {
    response = {
      statusCode: 200,
      isBase64Encoded: true,
      body: Buffer.from([0, 255, 1]).toString('base64'),
      cookies: ['a=1', 'b=2'],
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
    };
    await send(eventOf());
    const replay = await send(eventOf());
    expect(replay).toMatchObject(response as object);
  });

  it.each([401, 403, 408, 409, 425, 429, 500, 503])('does not record a %i', async (statusCode) => {
    response = { statusCode };
    await send(eventOf());
    response = { statusCode: 201 };
    expect(await send(eventOf())).toEqual({ statusCode: 201 });
  });

  it.each([200, 204, 302, 400, 402, 404, 410, 422])('records a %i', async (statusCode) => {
    response = { statusCode };
    await send(eventOf());
    await send(eventOf());
    expect(runs).toBe(1);
  });
});

describe('identity', () => {
  const v2Path = (rawPath: string, routeKey: string) => v2({ rawPath, routeKey });

  it('takes the path as received into the fingerprint, not the template', async () => {
    await send(v2Path('/orders/1/refund', 'POST /orders/{id}/refund'));
    expect(await send(v2Path('/orders/2/refund', 'POST /orders/{id}/refund'))).toMatchObject({ statusCode: 422 });
    await send(rest({ path: '/orders/1/refund', resource: '/orders/{id}/refund' }));
    expect(await send(rest({ path: '/orders/2/refund', resource: '/orders/{id}/refund' }))).toMatchObject({
      statusCode: 422,
    });
  });

  it('keeps routes apart, and paths where there is no route', async () => {
    await send(v2Path('/orders', 'POST /orders'));
    await send(v2Path('/refunds', 'POST /refunds'));
    await send(urlEvent({ rawPath: '/a' }));
    await send(urlEvent({ rawPath: '/b' }));
    await send(alb({ path: '/c' }));
    await send(alb({ path: '/d' }));
    expect(runs).toBe(6);
  });

  it('keeps methods apart', async () => {
    await send(rest());
    await send(rest({ httpMethod: 'PATCH' }));
    expect(runs).toBe(2);
  });

  it('takes the query into the fingerprint', async () => {
    await send(v2({ rawQueryString: 'a=1' }));
    expect(await send(v2({ rawQueryString: 'a=2' }))).toMatchObject({ statusCode: 422 });
    await send(rest({ resource: '/q', multiValueQueryStringParameters: { a: ['1', '2'] } }));
    expect(await send(rest({ resource: '/q', multiValueQueryStringParameters: { a: ['2', '1'] } }))).toMatchObject({
      statusCode: 422,
    });
  });

  it('compares bodies that are no JSON by their bytes', async () => {
    const text = (body: string) => v2({ headers: { 'idempotency-key': 'k', 'content-type': 'text/csv' }, body });
    await send(text('{"a":1}'));
    expect(await send(text('{ "a": 1 }'))).toMatchObject({ statusCode: 422 });
    expect(await send(text('{"a":1}'))).toMatchObject({ statusCode: 201 });
  });
});

describe('the same key of another caller is another record', () => {
  const jwt = (sub: string, iss = 'https://issuer') =>
    v2({
      requestContext: { ...v2().requestContext, authorizer: { jwt: { claims: { iss, sub }, scopes: [] } } } as any,
    });
  const iam = (userArn: string, cognito?: string) =>
    v2({
      requestContext: {
        ...v2().requestContext,
        authorizer: { iam: { userArn, cognitoIdentity: cognito ? { identityId: cognito } : null } },
      } as any,
    });
  const restOf = (authorizer: object, identity: object = {}) =>
    rest({ requestContext: { authorizer, identity } as any });
  const role = (session: string, name = 'Web') => `arn:aws:sts::123456789012:assumed-role/${name}/${session}`;

  it.each([
    ['JWT subjects', jwt('alice'), jwt('bob')],
    ['JWT issuers', jwt('alice'), jwt('alice', 'https://another')],
    [
      'Cognito users of a REST API',
      restOf({ claims: { iss: 'i', sub: 'a' } }),
      restOf({ claims: { iss: 'i', sub: 'b' } }),
    ],
    ['principals of a Lambda authorizer', restOf({ principalId: 'a' }), restOf({ principalId: 'b' })],
    ['IAM users', iam('arn:aws:iam::123456789012:user/a'), iam('arn:aws:iam::123456789012:user/b')],
    [
      'IAM users of a REST API',
      restOf({}, { userArn: 'arn:aws:iam::1:user/a' }),
      restOf({}, { userArn: 'arn:aws:iam::1:user/b' }),
    ],
    ['IAM roles', iam(role('s', 'Web')), iam(role('s', 'Job'))],
    [
      'users of an identity pool, who share a role',
      iam(role('CognitoIdentityCredentials'), 'id-1'),
      iam(role('CognitoIdentityCredentials'), 'id-2'),
    ],
    ['somebody and nobody', jwt('alice'), v2()],
  ])('%s', async (_, alice, bob) => {
    await send(alice);
    expect(await send(bob)).toEqual(response);
    expect(runs).toBe(2);
    await send(alice);
    await send(bob);
    expect(runs).toBe(2);
  });

  it('but two sessions of one role are one caller', async () => {
    await send(iam(role('session-1')));
    await send(iam(role('session-2')));
    expect(runs).toBe(1);
  });

  it('and the option `principal` has the last word', async () => {
    const handler = idempotent(async () => ({ statusCode: 200, body: `${++runs}` }), {
      store,
      scope: 'test',
      principal: (event: APIGatewayProxyEventV2) => event.headers['x-tenant'],
    });
    const tenant = (name?: string) =>
      v2({ headers: { 'idempotency-key': 'k', ...(name !== undefined && { 'x-tenant': name }) } });
    await handler(tenant('a'), lambdaContext());
    await handler(tenant('b'), lambdaContext());
    expect(runs).toBe(2);
  });
});

describe('methods', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s without a key passes through', async (httpMethod) => {
    const event = rest({ httpMethod, headers: {}, multiValueHeaders: {} });
    expect([await send(event), await send(event), runs]).toEqual([response, response, 2]);
  });

  it('with a key they are protected', async () => {
    await send(rest({ httpMethod: 'PUT' }));
    await send(rest({ httpMethod: 'PUT' }));
    expect(runs).toBe(1);
  });
});

describe('responses without a status, of which API Gateway makes a 200', () => {
  it.each([
    [{ id: 1 }, '{"id":1}'],
    ['text', 'text'],
    [null, 'null'],
  ])('%j is replayed as that', async (value, body) => {
    response = value;
    expect(await send(v2())).toEqual(value);
    expect(await send(v2())).toMatchObject({ statusCode: 200, body, headers: { 'Idempotent-Replayed': 'true' } });
  });

  it('nothing is replayed as nothing', async () => {
    response = undefined;
    expect([await send(v2()), await send(v2()), runs]).toEqual([undefined, undefined, 1]);
  });
});

describe('errors', () => {
  it('of the store are a 503 that may come back, and tell nothing of it', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    store = { ...store, write: () => Promise.reject(new Error('secret host')) };
    const { statusCode, headers, body } = await send(v2());
    expect({ statusCode, headers }).toEqual({
      statusCode: 503,
      headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '1' },
    });
    expect(body).not.toContain('secret');
    expect(logged).toHaveBeenCalledWith(expect.any(IdempotencyError));
  });

  it('of the configuration are a 500 that is logged', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    store = dynamoDBStore();
    expect(await send(v2())).toMatchObject({ statusCode: 500 });
    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('of the handler are thrown', async () => {
    const handler = idempotent(async () => Promise.reject(new Error('mine')), { store, scope: 'test' });
    await expect(handler(v2(), lambdaContext())).rejects.toThrow('mine');
  });

  it('of a handler whose own runOnce is refused are thrown like any other: they are not of this request', async () => {
    const inner = new IdempotencyError('RESULT_UNAVAILABLE', 'inner');
    const handler = idempotent(async () => Promise.reject(inner), { store, scope: 'test' });
    await expect(handler(v2(), lambdaContext())).rejects.toBe(inner);
  });
});

describe('a response that is streamed is refused before anything is claimed', () => {
  it('when the handler is marked, and when it is called with a stream', async () => {
    const streaming = Object.assign(async () => {}, {
      [Symbol.for('aws.lambda.runtime.handler.streaming')]: 'response',
    });
    expect(() => idempotent(streaming, { store })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    const handler = idempotent(async () => runs++, { store, scope: 'test', key: () => 'k' });
    const stream = { write: () => {}, end: () => {} } as any;
    await expect(handler({}, stream)).rejects.toMatchObject({ code: 'MISUSE' });
    expect(runs).toBe(0);
  });
});
