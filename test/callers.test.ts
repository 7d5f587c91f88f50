import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { type HandlerOptions, idempotent, memoryStore, type Store } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpEvent } from './events.ts';
import { EVENTS } from './sources/deliveries.ts';
import { lambdaContext } from './ways.ts';

let store: Store;
let runs: number;
let logged: string[];
beforeEach(() => {
  store = memoryStore();
  runs = 0;
  logged = [];
  vi.spyOn(console, 'error').mockImplementation((error) => void logged.push(error.code));
});
afterEach(() => vi.restoreAllMocks());

const send = async (event: any, options: Partial<HandlerOptions<any>> = {}): Promise<any> => {
  const run = async () => ({ statusCode: 201, body: `run ${++runs}` });
  const handler = idempotent(run, { store, scope: 'test', ...options });
  return handler(event, lambdaContext()).catch(({ code, statusCode, message }) => ({ code, statusCode, message }));
};

const post = (context: object, key: string | undefined = 'k') => {
  const event = httpEvent({ ...(key && { key }), body: { amount: 5 } });
  return { ...event, requestContext: { ...event.requestContext, ...context } };
};
const jwt = (claims: object) => post({ authorizer: { jwt: { claims: { iss: 'https://idp', ...claims } } } });
const rest = (context: object) => ({
  ...EVENTS.find(({ name }) => name.includes('a REST API'))?.first,
  requestContext: context,
});
const lattice = (identity: object) => ({
  ...EVENTS.find(({ name }) => name.includes('Lattice, version 2'))?.first,
  requestContext: { serviceNetworkArn: 'arn', identity },
});
const socket = (context: object) => ({
  ...EVENTS.find(({ name }) => name.includes('WebSocket'))?.first,
  requestContext: { connectionId: 'c', eventType: 'MESSAGE', routeKey: 'r', ...context },
});
const appSync = (identity: unknown) => ({ ...EVENTS.find(({ name }) => name.includes('AppSync'))?.first, identity });

describe('two callers with one key have two records', () => {
  it.each([
    ['JWTs without a subject', jwt({ client_id: 'a' }), jwt({ client_id: 'b' })],
    ['JWTs that have but an authorized party', jwt({ azp: 'a' }), jwt({ azp: 'b' })],
    ['a subject and a client of one name', jwt({ sub: 'a' }), jwt({ client_id: 'a' })],
    ['a client and an authorized party of one name', jwt({ client_id: 'a' }), jwt({ azp: 'a' })],
    ['users of one client whose subjects are numbers', jwt({ sub: 1, azp: 'web' }), jwt({ sub: 2, azp: 'web' })],
    ['principals that are numbers', rest({ authorizer: { principalId: 1 } }), rest({ authorizer: { principalId: 2 } })],
    ['API keys', rest({ identity: { apiKeyId: 'a' } }), rest({ identity: { apiKeyId: 'b' } })],
    [
      'client certificates of a REST API',
      rest({ identity: { clientCert: { issuerDN: 'i', subjectDN: 'a' } } }),
      rest({ identity: { clientCert: { issuerDN: 'i', subjectDN: 'b' } } }),
    ],
    [
      'client certificates of an HTTP API, of two issuers',
      post({ authentication: { clientCert: { issuerDN: 'i', subjectDN: 'a' } } }),
      post({ authentication: { clientCert: { issuerDN: 'j', subjectDN: 'a' } } }),
    ],
    [
      'client certificates with one API key',
      rest({ identity: { apiKeyId: 'a', clientCert: { issuerDN: 'i', subjectDN: 'a' } } }),
      rest({ identity: { apiKeyId: 'a', clientCert: { issuerDN: 'i', subjectDN: 'b' } } }),
    ],
    [
      'API keys with one client certificate',
      rest({ identity: { apiKeyId: 'a', clientCert: { issuerDN: 'i', subjectDN: 'a' } } }),
      rest({ identity: { apiKeyId: 'b', clientCert: { issuerDN: 'i', subjectDN: 'a' } } }),
    ],
    [
      'IAM principals of VPC Lattice',
      lattice({ type: 'AWS_IAM', principal: 'arn:aws:iam::1:user/a' }),
      lattice({ type: 'AWS_IAM', principal: 'arn:aws:iam::1:user/b' }),
    ],
    [
      'identities of a Cognito pool at a REST API, who share a role',
      rest({
        identity: { userArn: 'arn:aws:sts::1:assumed-role/r/CognitoIdentityCredentials', cognitoIdentityId: 'a' },
      }),
      rest({
        identity: { userArn: 'arn:aws:sts::1:assumed-role/r/CognitoIdentityCredentials', cognitoIdentityId: 'b' },
      }),
    ],
    ['subjects that are no text, cut in another place', jwt({ sub: '\ud83d' }), jwt({ sub: '\ud83e' })],
    [
      'OIDC subjects of AppSync, told in the claims alone',
      appSync({ claims: { iss: 'i', sub: 'a' } }),
      appSync({ claims: { iss: 'i', sub: 'b' } }),
    ],
    [
      'principals of a WebSocket API',
      socket({ authorizer: { principalId: 'a' } }),
      socket({ authorizer: { principalId: 'b' } }),
    ],
    ['Cognito users of AppSync', appSync({ issuer: 'i', sub: 'a' }), appSync({ issuer: 'i', sub: 'b' })],
    [
      'OIDC clients of AppSync',
      appSync({ issuer: 'i', claims: { azp: 'a' } }),
      appSync({ issuer: 'i', claims: { azp: 'b' } }),
    ],
    [
      'IAM users of AppSync',
      appSync({ userArn: 'arn:aws:iam::1:user/a' }),
      appSync({ userArn: 'arn:aws:iam::1:user/b' }),
    ],
    [
      'identities of a Cognito pool at AppSync, who share a role',
      appSync({ userArn: 'arn:aws:sts::1:assumed-role/r/CognitoIdentityCredentials', cognitoIdentityId: 'a' }),
      appSync({ userArn: 'arn:aws:sts::1:assumed-role/r/CognitoIdentityCredentials', cognitoIdentityId: 'b' }),
    ],
  ])('%s', async (_, a, b) => {
    const key = (event: any) => (event.requestContext?.connectionId ? 'k' : undefined);
    const options = 'connectionId' in (a.requestContext ?? {}) ? { key } : {};
    for (const event of [a, b, a, b]) await send(event, options);
    expect(runs).toBe(2);
  });
});

describe('an authorizer that names nobody that we can tell', () => {
  it.each<[string, any]>([
    ['a Lambda authorizer of an HTTP API', post({ authorizer: { lambda: { tenant: 't' } } })],
    ['one that gave no context', post({ authorizer: { lambda: null } })],
    ['one that says nothing at all', post({ authorizer: {} })],
    ['a JWT without a subject, a client or a party', jwt({ aud: 'api' })],
    ['a JWT with a blank subject', jwt({ sub: ' ' })],
    ['a JWT with a blank subject of a client', jwt({ sub: '', azp: 'web' })],
    ['a JWT whose subject is no text', jwt({ sub: {}, client_id: 'web' })],
    ['a client certificate of which half is told', rest({ identity: { clientCert: { subjectDN: 'a' } } })],
    ['a JWT without an issuer', jwt({ iss: undefined, sub: 'alice' })],
    ['a Lambda authorizer of a REST API without a principal', rest({ authorizer: { integrationLatency: 5 } })],
    ['the same, in front of an API key', rest({ authorizer: { tenant: 't' }, identity: { apiKeyId: 'k' } })],
    ['a REST API whose claims are a text', rest({ authorizer: { claims: '{"sub":"alice"}' } })],
    ['IAM without an ARN', post({ authorizer: { iam: { accountId: '1', userArn: null } } })],
    ['VPC Lattice that says just that it was IAM', lattice({ type: 'AWS_IAM' })],
    ['a Lambda authorizer of AppSync', appSync({ resolverContext: { tenant: 't' } })],
  ])('is a fault of the configuration: %s', async (_, event) => {
    const { statusCode, code = logged.join(), message = 'give the option `principal`' } = await send(event);
    expect({ statusCode, code, runs }).toEqual({ statusCode: 500, code: 'CONFIG_INVALID', runs: 0 });
    expect(message).toContain('give the option `principal`, or `principal: false`'.slice(0, message.length));
    expect(await send(event, { principal: () => 'tenant' })).toMatchObject({ statusCode: 201 });
    expect(await send(event, { principal: false })).toMatchObject({ statusCode: 201 });
    expect(runs).toBe(2);
  });

  it('does not matter to a request without a key that may have none', async () => {
    const event = httpEvent({ method: 'GET' });
    const context = { ...event.requestContext, authorizer: { lambda: null } };
    expect(await send({ ...event, requestContext: context })).toMatchObject({ statusCode: 201 });
  });

  it.each<[string, any]>([
    ['an HTTP API', post({})],
    [
      'a REST API, where all of it is null',
      rest({ authorizer: null, identity: { userArn: null, apiKeyId: null, clientCert: null } }),
    ],
    ['VPC Lattice', lattice({ sourceVpcArn: 'arn' })],
    ['AppSync with an API key', appSync(null)],
  ])('is not where there is no authorizer: %s', async (_, event) => {
    expect(await send(event)).toMatchObject({ statusCode: 201 });
  });
});

describe('the option `principal`', () => {
  it.each([42, null, '', ' ', {}, ['a'], Promise.resolve('alice')])('is at fault where it gives %o', async (answer) => {
    expect(await send(post({}), { principal: () => answer as any })).toMatchObject({ statusCode: 500 });
    expect([runs, logged]).toEqual([0, ['CONFIG_INVALID']]);
  });

  it('is at fault where it is asynchronous, and fails', async () => {
    const principal = async (): Promise<never> => {
      throw new Error('late'); // which must not end the process
    };
    expect(await send(post({}), { principal: principal as any })).toMatchObject({ statusCode: 500 });
  });

  it('is at fault where it throws', async () => {
    const principal = ({ requestContext }: any): string => requestContext.authorizer.claims.sub;
    expect(await send(post({}), { principal })).toMatchObject({ statusCode: 500 });
    expect([runs, logged]).toEqual([0, ['CONFIG_INVALID']]);
  });

  it('gives undefined where there is nobody', async () => {
    expect(await send(post({}), { principal: () => undefined })).toMatchObject({ statusCode: 201 });
  });

  it('false: all share a key', async () => {
    for (const sub of ['alice', 'bob'])
      expect(await send(jwt({ sub }), { principal: false })).toMatchObject({ body: 'run 1' });
  });

  it('is refused when built, if it is neither', () => {
    for (const principal of [true, 'alice', null] as any[])
      expect(() => idempotent(async () => {}, { store, principal })).toThrow('a function of the event, or false');
  });
});

describe('authentication stands before idempotency', () => {
  const chain = () =>
    middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
      .before(({ event }) => {
        if (event.headers['authorization'] !== 'good') return { statusCode: 401 };
        return undefined;
      })
      .use(idempotency({ store, scope: 'test' }))
      .handler(async () => ({ statusCode: 201, body: `run ${++runs}` }));
  const call = (authorization: string) => {
    const event = httpEvent({ key: 'k' });
    return chain()({ ...event, headers: { ...event.headers, authorization } }, lambdaContext());
  };

  it('so that a bad token never sees the stored answer', async () => {
    expect(await call('good')).toMatchObject({ body: 'run 1' });
    expect(await call('bad')).toEqual({ statusCode: 401 });
    expect(await call('good')).toMatchObject({ body: 'run 1', headers: { 'Idempotent-Replayed': 'true' } });
  });

  it.each([401, 403])('and a %i of the handler itself speaks of one caller: it is not recorded', async (statusCode) => {
    const handler = idempotent(
      async ({ headers }: APIGatewayProxyEventV2) =>
        headers['authorization'] === 'good' ? { statusCode: 201, body: 'secret' } : { statusCode },
      { store, scope: 'test' },
    );
    const as = (authorization: string) => {
      const event = httpEvent({ key: 'k' });
      return handler({ ...event, headers: { ...event.headers, authorization } }, lambdaContext());
    };
    expect(await as('bad')).toEqual({ statusCode });
    expect(await as('good')).toMatchObject({ statusCode: 201 });
  });
});
