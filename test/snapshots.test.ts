import middy from '@middy/core';
import httpErrorHandler from '@middy/http-error-handler';
import type { Context } from 'aws-lambda';
import { type Codec, idempotent, idempotentBatch, runOnce, type Store } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { memoryStore } from 'effectively-once/testing';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type HttpRequest, httpEvent } from './events.ts';
import { EVENTS } from './sources/deliveries.ts';
import { lambdaContext, type Request, sqsRecord, WAYS } from './ways.ts';

/** Encodes the value long after it was given it. */
const late: Codec = {
  name: 'late',
  encode: async (value) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return Buffer.from(JSON.stringify(value));
  },
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
};

let store: Store;
let request: Request;
beforeEach(() => {
  store = memoryStore();
  request = { key: crypto.randomUUID(), payload: 1 };
});

describe.each(WAYS.filter(({ name }) => name !== 'idempotentBatch'))('$name', ({ build }) => {
  describe.each<[string, { codec?: Codec }]>([
    ['at once', {}],
    ['by a codec that takes its time', { codec: late }],
  ])('what is recorded %s', (_, options) => {
    it('is the value as it was when the run ended, whatever is done to it later', async () => {
      const value = { state: 'charged', items: [{ n: 1 }], at: new Date(0) };
      const change = () => {
        value.at.setTime(1);
        value.state = 'changed';
        value.items[0] = { n: 2 };
      };
      const call = build(
        () => {
          setTimeout(change, 1); // while the codec, or the store, is at it
          return value;
        },
        { store, ...options },
      );
      const at = options.codec ? expect.anything() : new Date(0);
      const seen = { value: { state: 'charged', items: [{ n: 1 }], at } };
      expect(await call(request)).toEqual(seen);
      change();
      expect(await call(request)).toEqual(seen);
    });

    it('is not what its caller makes of it', async () => {
      const value = { n: 1 };
      const call = build(() => value, { store, ...options });
      const first = (await call(request)) as { value: { n: number } };
      first.value.n = 2;
      expect(await call(request)).toEqual({ value: { n: 1 } });
    });

    it('has of a getter what it gave once, and the first caller sees the same', async () => {
      let reads = 0;
      const call = build(
        () => ({
          get total() {
            return ++reads;
          },
        }),
        { store, ...options },
      );
      expect([await call(request), await call(request), reads]).toEqual([
        { value: { total: 1 } },
        { value: { total: 1 } },
        1,
      ]);
    });
  });

  it('a step’s value is taken when the step returns', async () => {
    const value = { n: 1 };
    const call = build(
      async ({ step, attempt }) => {
        const seen = await step('one', () => {
          setTimeout(() => Object.assign(value, { n: 2 }), 1);
          return value;
        });
        if (attempt === 1) throw new Error('again');
        return seen;
      },
      { store, codec: late },
    );
    await call(request);
    expect(await call(request)).toEqual({ value: { n: 1 } });
  });

  it('a committed value is taken when it is given', async () => {
    const value = { n: 1 };
    const call = build(
      async ({ commit }) => {
        const committing = commit(value, []);
        value.n = 2;
        await committing;
      },
      { store: memoryStore(), codec: late },
    );
    expect([await call(request), await call(request)]).toEqual([{ value: { n: 1 } }, { value: { n: 1 } }]);
  });

  const shared = { n: 1 };
  const cycle: { self?: object; list: unknown[] } = { list: [1] };
  cycle.self = cycle;
  it.each<[string, unknown]>([
    ['shared and circular objects', { a: shared, b: shared, cycle }],
    [
      'collections',
      new Map<unknown, unknown>([
        ['a', new Set([{ n: 1 }])],
        [{ k: 1 }, 2],
      ]),
    ],
    ['dates, bytes and errors', [new Date(5), Buffer.from('a'), new Uint16Array([1, 2]), /x/g, new TypeError('no')]],
    ['names that mean something elsewhere', JSON.parse('{"__proto__":{"a":1},"constructor":2,"toJSON":3}')],
    ['holes and undefined', Object.assign([1], { 2: undefined, 3: 3 })],
    ['nothing', undefined],
  ])('the first answer and the duplicate are equal: %s', async (_, value) => {
    const call = build(() => value, { store });
    const first = await call(request);
    expect(await call(request)).toStrictEqual(first);
    expect(first).toStrictEqual({ value });
  });

  it('what cannot be kept is the first caller’s own', async () => {
    class Money {
      readonly cents = 5;
    }
    const value = { price: new Money() };
    expect(await build(() => value, { store })(request)).toEqual({ value });
  });
});

describe('a response that the chain fails to finish after the handler has returned', () => {
  const event = (title: string): any => structuredClone(EVENTS.find(({ name }) => name.startsWith(title))?.first);
  const V2 = httpEvent({ key: 'k' } as HttpRequest);
  const SERVICES: Record<string, object> = {
    'an HTTP API': V2,
    'a REST API': {
      httpMethod: 'POST',
      path: '/orders',
      headers: { 'Idempotency-Key': 'k' },
      body: '{}',
      requestContext: {},
    },
    'a REST API behind a domain of one’s own': {
      httpMethod: 'POST',
      path: '/orders',
      rawPath: '/v1/orders',
      headers: { 'Idempotency-Key': 'k' },
      body: '{}',
    },
    'an ALB with lists of headers': {
      httpMethod: 'POST',
      path: '/orders',
      multiValueHeaders: { 'idempotency-key': ['k'] },
      body: '{}',
      requestContext: { elb: {} },
    },
    'VPC Lattice': event('VPC Lattice, version 2'),
    'a WebSocket API': event('a WebSocket API'),
  };

  /** The answer to a duplicate of a request whose response a validator did not like. */
  async function replay(service: string, returned: unknown): Promise<any> {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const chain = middy()
      .use(idempotency<any>({ store, scope: 'test', ...(service === 'a WebSocket API' && { key: () => 'k' }) }))
      .use(httpErrorHandler({ logger: false }))
      .after(async ({ response }: any) => {
        if (response && typeof response === 'object') Object.assign(response, { statusCode: 299, body: 'half made' });
        throw new Error('not valid');
      })
      .handler(async () => returned) as unknown as (event: unknown, context: Context) => Promise<any>;
    expect(await chain(structuredClone(SERVICES[service]), lambdaContext())).toMatchObject({ statusCode: 500 });
    return chain(structuredClone(SERVICES[service]), lambdaContext());
  }

  const JSON_TYPE = { 'Content-Type': 'application/json' };
  const REPLAYED = { 'Idempotent-Replayed': 'true' };
  it.each<[string, unknown, object]>([
    [
      'an HTTP API',
      { statusCode: 201, body: { id: 1 } },
      { statusCode: 201, body: '{"id":1}', headers: { ...JSON_TYPE, ...REPLAYED } },
    ],
    ['an HTTP API', { id: 1 }, { statusCode: 200, body: '{"id":1}', headers: { ...JSON_TYPE, ...REPLAYED } }],
    [
      'an HTTP API',
      { statusCode: 201, cookies: ['a=1', null], body: 'ok' },
      { statusCode: 201, cookies: ['a=1'], body: 'ok', headers: REPLAYED },
    ],
    ['a REST API', { body: 'charged' }, { statusCode: 200, body: 'charged', headers: REPLAYED }],
    [
      'a REST API behind a domain of one’s own',
      { body: 'charged' },
      { statusCode: 200, body: 'charged', headers: REPLAYED },
    ],
    ['a REST API', { id: 1 }, { statusCode: 200, body: '{"id":1}', headers: { ...JSON_TYPE, ...REPLAYED } }],
    ['a REST API', undefined, { statusCode: 200, headers: REPLAYED }],
    ['a REST API', 'text', { statusCode: 200, body: 'text', headers: REPLAYED }],
    [
      'a REST API',
      {
        statusCode: '201',
        headers: { 'content-type': 'x/y', a: null, b: {}, c: 1 },
        body: { total: 5n },
        note: 'mine',
      },
      { statusCode: 201, headers: { 'content-type': 'x/y', c: 1, ...REPLAYED }, body: '{"total":"5"}' },
    ],
    [
      'a REST API',
      { statusCode: 200, body: Buffer.from('a') },
      { statusCode: 200, body: 'YQ==', isBase64Encoded: true, headers: REPLAYED },
    ],
    ['a REST API', { statusCode: 200, body: null }, { statusCode: 200, headers: REPLAYED }],
    [
      'an ALB with lists of headers',
      {
        statusCode: 201,
        statusDescription: '201 Created',
        multiValueHeaders: { a: ['1'], b: [{}], c: 'no' },
        body: [1],
      },
      {
        statusCode: 201,
        statusDescription: '201 Created',
        multiValueHeaders: { a: ['1'], 'Content-Type': ['application/json'], 'Idempotent-Replayed': ['true'] },
        body: '[1]',
      },
    ],
    ['an HTTP API', { total: 5n }, { statusCode: 200, body: '{"total":"5"}', headers: { ...JSON_TYPE, ...REPLAYED } }],
    [
      'a REST API',
      { statusCode: 200, isBase64Encoded: true, body: { id: 1 } },
      { statusCode: 200, body: '{"id":1}', headers: { ...JSON_TYPE, ...REPLAYED } },
    ],
    [
      'a REST API',
      { statusCode: 200, isBase64Encoded: true, body: 'YQ==' },
      { statusCode: 200, isBase64Encoded: true, body: 'YQ==', headers: REPLAYED },
    ],
    [
      'a REST API',
      new (class {
        statusCode = 201;
        body = 'charged';
      })(),
      { statusCode: 201, body: 'charged', headers: REPLAYED },
    ],
    ['a REST API', { body: 'charged', cookies: ['a=1'] }, { statusCode: 200, body: 'charged', headers: REPLAYED }],
    ['a REST API', { statusCode: 0, body: 'charged' }, { statusCode: 200, body: 'charged', headers: REPLAYED }],
    ['VPC Lattice', { headers: { a: 'b' } }, { statusCode: 200, headers: { a: 'b', ...REPLAYED } }],
    ['a WebSocket API', { body: { id: 1 } }, { statusCode: 200, body: '{"id":1}', headers: JSON_TYPE }],
  ])('of %s, is recorded as one that can be sent: %o', async (service, returned, sent) => {
    expect(await replay(service, returned)).toEqual(sent);
  });

  it('of an HTTP API nothing is nothing', async () => {
    expect(await replay('an HTTP API', undefined)).toBeUndefined();
  });

  it('without a body that JSON cannot write', async () => {
    const body: { self?: object } = {};
    body.self = body;
    expect(await replay('a REST API', { statusCode: 201, body })).toEqual({ statusCode: 201, headers: REPLAYED });
  });

  it('of an HTTP API, without one either', async () => {
    const value: { self?: object } = {};
    value.self = value;
    expect(await replay('an HTTP API', value)).toEqual({ statusCode: 200, headers: { ...JSON_TYPE, ...REPLAYED } });
  });

  it('of no HTTP event is the value', async () => {
    const chain = middy()
      .use(idempotency<any>({ store, scope: 'test', key: () => 'k' }))
      .after(() => Promise.reject(new Error('not valid')))
      .handler(async () => ({ n: 1 })) as unknown as (event: unknown, context: Context) => Promise<unknown>;
    await expect(chain({}, lambdaContext())).rejects.toThrow('not valid');
    expect(await chain({}, lambdaContext())).toEqual({ n: 1 });
  });
});

describe('a value that a service has an error for', () => {
  const REST = { httpMethod: 'POST', path: '/orders', headers: { 'Idempotency-Key': 'k' }, body: '{}' };
  it.each([['text'], [null], [[1]]])('is the same at the duplicate: %j', async (value) => {
    const handler = idempotent(async () => value, { store, scope: 'test' });
    expect([await handler(REST, lambdaContext()), await handler(REST, lambdaContext())]).toEqual([value, value]);
  });

  it('has but the header besides', async () => {
    const handler = idempotent(async () => ({ body: 'charged' }), { store, scope: 'test' });
    await handler(REST, lambdaContext());
    expect(await handler(REST, lambdaContext())).toEqual({
      body: 'charged',
      headers: { 'Idempotent-Replayed': 'true' },
    });
  });
});

describe('the context of a handler', () => {
  /** As Lambda's runtime makes it. */
  const contextOf = () => {
    let waits = true;
    const context = { functionName: 'f', awsRequestId: 'r', getRemainingTimeInMillis: () => 10_000, done() {} };
    return Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop', {
      get: () => waits,
      set: (value) => {
        waits = value;
      },
      enumerable: true,
      configurable: true,
    }) as unknown as Context;
  };
  const DOORS: [string, (handler: (context: any) => unknown) => (context: Context) => Promise<unknown>][] = [
    [
      'idempotent',
      (handler) => (context) =>
        idempotent((_, own) => handler(own), { store, scope: 'test', key: () => 'k' })({}, context),
    ],
    [
      'idempotentBatch',
      (handler) => (context) =>
        idempotentBatch((_, own) => handler(own), { store, scope: 'test' })({ Records: [sqsRecord('{}')] }, context),
    ],
    [
      'middy',
      (handler) => (context) =>
        middy()
          .use(idempotency<any>({ store, scope: 'test', key: () => 'k' }))
          .handler(async (_, own) => handler(own))({}, context as never),
    ],
  ];

  it.each(DOORS)('has all that Lambda gave, however it is copied, and idempotency: %s', async (_, open) => {
    const context = contextOf();
    const given = Object.keys(context);
    const seen: string[][] = [];
    await open((own) => {
      seen.push(Object.keys({ ...own }), Object.keys(Object.assign({}, own)));
      seen.push([...Object.keys(JSON.parse(JSON.stringify(own))), 'getRemainingTimeInMillis', 'done']);
      const { awsRequestId, ...rest } = own;
      seen.push(['awsRequestId', ...Object.keys(rest)]);
      expect(awsRequestId).toBe('r');
      expect(own.getRemainingTimeInMillis()).toBe(10_000);
    })(context);
    for (const names of seen) expect(names.toSorted()).toEqual([...given, 'idempotency'].toSorted());
    expect(seen).toHaveLength(4);
  });

  it.each(DOORS)('has the setters of the runtime: %s', async (_, open) => {
    for (const context of [contextOf(), { ...contextOf() } as Context]) {
      store = memoryStore();
      await open((own) => {
        own.callbackWaitsForEmptyEventLoop = false;
      })(context);
      expect(context.callbackWaitsForEmptyEventLoop).toBe(false);
    }
  });

  it('of one record is not that of another', async () => {
    const contexts = new Set();
    const handler = idempotentBatch((_, own) => void contexts.add(own), { store, scope: 'test' });
    await handler({ Records: [sqsRecord('1'), sqsRecord('2')] }, contextOf());
    expect(contexts.size).toBe(2);
  });
});

it('a value is taken before the microtasks that its handler left behind', async () => {
  const value = { n: 1 };
  const leave = async () => {
    for (let hop = 0; hop < 3; hop++) await undefined;
    value.n = 2;
  };
  const fn = () => {
    void leave();
    return value;
  };
  expect(await runOnce({ store, scope: 'test', key: 'k', lease: '10s' }, fn)).toEqual({ n: 1 });
  const handler = idempotent(fn, { store, scope: 'test', key: () => 'other' });
  value.n = 1;
  expect(await handler({}, lambdaContext())).toEqual({ n: 1 });
});
