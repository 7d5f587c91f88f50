import { isDeepStrictEqual } from 'node:util';
import middy from '@middy/core';
import httpErrorHandler from '@middy/http-error-handler';
import httpJsonBodyParser from '@middy/http-json-body-parser';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { idempotent, idempotentBatch, isIdempotencyError, memoryStore, type Store, subscribe } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { twoSmallJsons } from './arbitraries.ts';
import { httpEvent } from './events.ts';
import { EVENTS as DELIVERIES } from './sources/deliveries.ts';
import { instead } from './stores/writes.ts';
import { lambdaContext, sqsRecord } from './ways.ts';

// Refused records are logged; thousands of them say nothing.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
afterEach(() => vi.restoreAllMocks());

const RESPONSE = { statusCode: 201, body: '{"id":1}' };

/** UTF-16 with halves of surrogate pairs, control characters and what headers and JSON are made of. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.constantFrom('', '"', '""', ',', '\\', 'k', '"k"', '{', '"\\ud800"', '1e999', '['.repeat(300), '['.repeat(9_000)),
);

/** What a field may hold that should not. The body parser of the chains fails where a header cannot be made a text. */
const json = fc.jsonValue().filter((value) => !/"(toString|valueOf)"/.test(JSON.stringify(value)));
const junk = fc.oneof(text, json, fc.constantFrom(undefined, null, 0, [], {}, [null], { length: 1 }));

const v2 = httpEvent({ key: 'k', body: { amount: 1 } });
const common = { httpMethod: 'POST', path: '/orders', body: '{"amount":1}', isBase64Encoded: false };
const multiValueHeaders = { 'Idempotency-Key': ['k'], 'Content-Type': ['application/json'] };
const EVENTS: readonly object[] = [
  v2,
  { ...v2, requestContext: { ...v2.requestContext, authorizer: { jwt: { claims: { iss: 'i', sub: 's' } } } } },
  { ...v2, requestContext: { ...v2.requestContext, authorizer: { iam: { userArn: 'arn:aws:iam::1:user/a' } } } },
  {
    ...common,
    resource: '/orders',
    headers: { 'Idempotency-Key': 'k' },
    multiValueHeaders,
    queryStringParameters: null,
    multiValueQueryStringParameters: { a: ['1'] },
    requestContext: { authorizer: { principalId: 'p', claims: { iss: 'i', sub: 's' } }, identity: { userArn: 'arn' } },
  },
  { ...common, multiValueHeaders, requestContext: { elb: { targetGroupArn: 'arn' } } },
  ...DELIVERIES.filter(({ options }) => !options).map(({ first }) => first),
];

/** An event with up to three fields, at any depth, replaced by junk. */
const spoilt = fc
  .tuple(fc.constantFrom(...EVENTS), fc.array(fc.record({ at: fc.nat(), value: junk }), { minLength: 1, maxLength: 3 }))
  .map(([event, spoils]) => {
    const copy: object = structuredClone(event);
    for (const { at, value } of spoils) {
      const fields = fieldsOf(copy);
      const [holder, name] = fields[at % fields.length] as [any, string];
      holder[name] = structuredClone(value);
    }
    return JSON.parse(JSON.stringify(copy)) as object; // as it arrives
  });

function fieldsOf(holder: object): [holder: object, name: string][] {
  return Object.entries(holder).flatMap(([name, value]) => [
    [holder, name],
    ...(typeof value === 'object' && value !== null ? fieldsOf(value) : []),
  ]);
}

type Handler = (event: any, context: Context) => Promise<any>;

type Build = (store: Store, run: () => Promise<unknown>) => Handler;

const HTTP_WAYS: readonly [name: string, build: Build][] = [
  ['idempotent', (store, run) => idempotent(run, { store, scope: 'test' })],
  [
    'idempotent behind a body parser',
    (store, run) =>
      middy()
        .use(httpErrorHandler({ logger: false }))
        .use(httpJsonBodyParser({ disableContentTypeError: true }))
        .handler(idempotent(run, { store, scope: 'test' })) as Handler,
  ],
  [
    'middy',
    (store, run) =>
      middy()
        .use(idempotency({ store, scope: 'test' }))
        .use(httpErrorHandler({ logger: false }))
        .use(httpJsonBodyParser({ disableContentTypeError: true }))
        .handler(run) as Handler,
  ],
];

/** A store that tells the records it was asked to make. */
function watchedStore() {
  const store = memoryStore();
  const ids = new Set<string>();
  const watched = instead(store, 'insert', ({ next }, send) => {
    ids.add(next.id);
    return send();
  });
  return { store: watched, ids };
}

/** The codes of refusals. */
const refusals: string[] = [];
subscribe((event) => void (event.type === 'refused' && refusals.push(event.code)));

describe.each(HTTP_WAYS)('%s: whatever arrives', (_, build) => {
  it('twice is answered below 500, or refused with an error that says why, and runs once', async () => {
    await fc.assert(
      fc.asyncProperty(spoilt, async (event) => {
        const run = vi.fn(async () => RESPONSE);
        const { store, ids } = watchedStore();
        const handler = build(store, run);
        for (let delivery = 0; delivery < 2; delivery++) {
          refusals.length = 0;
          const { statusCode } = await handler(structuredClone(event), lambdaContext()).catch((error) =>
            isIdempotencyError(error) ? error : expect.unreachable(String(error)),
          );
          // No sender can spoil what an authorizer says: if it names nobody, that is a fault of the configuration.
          if (refusals.includes('CONFIG_INVALID')) expect(run).not.toHaveBeenCalled();
          else expect(statusCode).toBeLessThan(500);
        }
        expect(ids.size).toBeLessThanOrEqual(1);
        if (ids.size === 1) expect(run.mock.calls.length).toBeLessThanOrEqual(1); // else no duplicate could be known
      }),
      { numRuns: 500 },
    );
  });

  it('in header and body, is answered below 500', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, fc.option(text), fc.boolean(), async (key, body, type, isBase64Encoded) => {
        const headers = { 'idempotency-key': key, ...(type !== null && { 'content-type': type }) };
        const handler = build(memoryStore(), async () => RESPONSE);
        const { statusCode } = await handler({ ...v2, headers, body, isBase64Encoded }, lambdaContext());
        expect(statusCode).toBeLessThan(500);
      }),
      { numRuns: 400 },
    );
  });
});

describe('any body under a key that is one', () => {
  const body = fc.record({
    body: text.filter((one) => one.isWellFormed()),
    isBase64Encoded: fc.boolean(),
    type: fc.option(text),
  });

  it('is taken, and known again', async () => {
    await fc.assert(
      fc.asyncProperty(body, async ({ type, ...rest }) => {
        const headers = { 'idempotency-key': 'k', ...(type !== null && { 'content-type': type }) };
        const run = vi.fn(async () => RESPONSE);
        const handler = idempotent(run, { store: memoryStore(), scope: 'test' });
        for (let delivery = 0; delivery < 2; delivery++) {
          expect(await handler({ ...v2, headers, ...rest }, lambdaContext())).toMatchObject({ statusCode: 201 });
        }
        expect(run).toHaveBeenCalledTimes(1);
      }),
      { numRuns: 400 },
    );
  });

  it('is the fault of its sender where a fingerprint of the user cannot be taken of it', async () => {
    const fingerprint = (event: { body?: string }): unknown => JSON.parse(event.body ?? '');
    const handler = idempotent(async () => RESPONSE, { store: memoryStore(), scope: 'test', fingerprint });
    for (const body of ['{"a":1e999}', '"\\ud800"', '['.repeat(300) + ']'.repeat(300), '{']) {
      expect(await handler({ ...v2, body } as never, lambdaContext())).toMatchObject({ statusCode: 400 });
    }
  });
});

describe('two requests share a record', () => {
  // Names that try to look like one another once they are put together.
  const tricky = fc.constantFrom('a', 'a#', '#a', '","', '["jwt","a","b"]', 'a","b', 'jwt', '\\', 'null');
  const caller = fc.oneof(
    fc.constant({}),
    fc
      .record({ iss: tricky, sub: tricky }, { noNullPrototype: true })
      .map((claims) => ({ authorizer: { jwt: { claims } } })),
    tricky.map((principalId) => ({ authorizer: { principalId } })),
    tricky.map((userArn) => ({ authorizer: { iam: { userArn } } })),
    tricky.map((identityId) => ({ authorizer: { iam: { userArn: 'a', cognitoIdentity: { identityId } } } })),
  );
  const request = fc.record(
    {
      scope: fc.constantFrom('a', 'a,', 'b'),
      method: fc.constantFrom('POST', 'PATCH'),
      path: fc.constantFrom('/a', '/a/b', '/"', '/'),
      key: fc.constantFrom('a', 'b', 'a#b', '[]', 'null', 'POST'),
      caller,
    },
    { noNullPrototype: true },
  );

  type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;
  /** Two requests; the second is the first, but for one part at most. */
  const pair = fc
    .tuple(request, request, fc.constantFrom<(keyof Request)[]>('scope', 'method', 'path', 'key', 'caller'))
    .chain(([a, other, part]) =>
      fc.constantFrom<[Request, Request]>([a, { ...a }], [a, { ...a, [part]: other[part] }]),
    );

  async function idOf({ scope, method, path, key, caller }: Request): Promise<string[]> {
    const { store, ids } = watchedStore();
    const event = httpEvent({ method, path, key });
    const handler = idempotent(async () => RESPONSE, { store, scope });
    const requestContext = { ...event.requestContext, ...caller } as APIGatewayProxyEventV2['requestContext'];
    await handler({ ...event, requestContext }, lambdaContext());
    expect(ids.size).toBe(1);
    return [...ids];
  }

  it('if, and only if, scope, method, route, caller and key are the same', async () => {
    await fc.assert(
      fc.asyncProperty(pair, async ([a, b]) => {
        expect(isDeepStrictEqual(await idOf(a), await idOf(b))).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a body under a known key', () => {
  it('is the same if it is but for the order of members and white space, and else is refused with 422', async () => {
    await fc.assert(
      fc.asyncProperty(twoSmallJsons, async ([first, second]) => {
        const handler = idempotent(async () => RESPONSE, { store: memoryStore(), scope: 'test' });
        await handler({ ...v2, body: JSON.stringify(first) }, lambdaContext());
        const { statusCode } = await handler({ ...v2, body: JSON.stringify(second, undefined, 2) }, lambdaContext());
        expect(statusCode).toBe(isDeepStrictEqual(first, second) ? 201 : 422);
      }),
      { numRuns: 500 },
    );
  });
});

describe.each(HTTP_WAYS)('%s: bodies of another kind', (name, build) => {
  const texts = fc.constantFrom(
    '',
    '1234',
    'abc',
    'YWJj',
    'null',
    'bnVsbA==',
    '"none"',
    '"1234"',
    '"YWJj"',
    '"abc"',
    '"ab c"',
    '{"a":1}',
    '"{\\"a\\":1}"',
    'eyJhIjoxfQ==',
  );
  const content = fc.oneof(
    fc.constant(['none'] as const),
    texts.map((body) => ['application/json', body] as const),
    texts.map((body) => ['text/plain', body] as const),
  );
  const two = fc
    .tuple(content, content, fc.boolean(), fc.boolean())
    .chain(([a, b, ...encoded]) => fc.constantFrom([a, a, ...encoded] as const, [a, b, ...encoded] as const));
  const eventOf = ([type, body]: readonly [string, string?], isBase64Encoded: boolean) => ({
    ...v2,
    headers: { 'idempotency-key': 'k', 'content-type': type },
    body: isBase64Encoded && body !== undefined ? Buffer.from(body).toString('base64') : body,
    isBase64Encoded,
  });

  // JSON by its type alone looks like a text that a parser has left.
  const isMalformed = ([type, body]: readonly [string, string?]): boolean => {
    try {
      return type === 'application/json' && JSON.parse(body as string) === undefined;
    } catch {
      return true;
    }
  };

  it('are never taken for one another, and the same are, however they are encoded', async () => {
    await fc.assert(
      fc.asyncProperty(two, async ([a, b, isFirstEncoded, isSecondEncoded]) => {
        fc.pre(!name.includes('parser') || (a[1] !== 'null' && b[1] !== 'null')); // which is no body, parsed
        const handler = build(memoryStore(), async () => RESPONSE);
        const first = await handler(eventOf(a, isFirstEncoded), lambdaContext());
        fc.pre(first.statusCode === 201); // else a body parser has refused it
        const { statusCode } = await handler(eventOf(b, isSecondEncoded), lambdaContext());
        if (!isDeepStrictEqual(a, b)) expect(statusCode).not.toBe(201);
        // A text that a parser has left where base64 was cannot be told from base64; a client's retry comes as its first try.
        else if (isFirstEncoded === isSecondEncoded || !(name.includes('parser') || isMalformed(a)))
          expect(statusCode).toBe(201);
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    [
      ['"YWJj"', true],
      ['"abc"', false],
    ],
    [
      ['"abc"', false],
      ['"YWJj"', true],
    ],
    [
      ['"ew=="', true],
      ['"{"', false],
    ],
  ] as const)('are told apart behind a parser, which leaves of both a text: %s and %s', async (...bodies) => {
    const handler = build(memoryStore(), async () => RESPONSE);
    const [first, second] = bodies.map(([body, isEncoded]) => eventOf(['application/json', body], isEncoded));
    expect(await handler(first, lambdaContext())).toMatchObject({ statusCode: 201 });
    expect(await handler(second, lambdaContext())).toMatchObject({ statusCode: 422 });
  });
});

const isNoEmptyBatch = (event: any): boolean => event?.Records?.length !== 0 || event.Records === '';

describe('idempotentBatch: whatever arrives', () => {
  const record = fc.record({
    body: fc.oneof(text, junk),
    spoils: fc.dictionary(fc.constantFrom('attributes', 'eventSourceARN'), junk),
  });

  it('runs every message once, and reports no other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 5 }), async (records) => {
        const runs: string[] = [];
        const store = memoryStore();
        const handler = idempotentBatch(async ({ messageId }) => void runs.push(messageId), { store, scope: 'test' });
        const Records = records.map(({ body, spoils }) => sqsRecord(body as string, spoils));
        for (let delivery = 0; delivery < 2; delivery++) {
          const { batchItemFailures } = await handler(structuredClone({ Records }), lambdaContext());
          const failed = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
          const ids = Records.map(({ messageId }) => messageId);
          expect([...new Set([...runs, ...failed])].sort()).toEqual(ids.sort());
          expect(new Set(runs).size).toBe(runs.length);
          const wellFormed = Records.filter(({ body }) => typeof body === 'string' && body.isWellFormed());
          expect(runs).toEqual(expect.arrayContaining(wellFormed.map(({ messageId }) => messageId)));
          expect(failed.filter((id) => runs.includes(id))).toEqual([]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('is refused with an error that says why, where it is no batch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(spoilt, junk).filter(isNoEmptyBatch), async (event) => {
        const handler = idempotentBatch(async () => {}, { store: memoryStore(), scope: 'test' });
        await expect(handler(event as any, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
      }),
      { numRuns: 500 },
    );
  });
});
