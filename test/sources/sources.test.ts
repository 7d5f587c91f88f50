import middy from '@middy/core';
import {
  type Execution,
  type HandlerOptions,
  idempotent,
  idempotentBatch,
  isIdempotencyError,
  stepFunctionsKey,
  subscribe,
} from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { type MemoryStore, memoryStore } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpEvent } from '../events.ts';
import { lambdaContext, sqsRecord } from '../ways.ts';
import { EVENTS } from './deliveries.ts';

let store: MemoryStore;
let runs: number;
beforeEach(() => {
  store = memoryStore();
  runs = 0;
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const run = async () => ++runs;
/** For services that infer no status. */
const respond = async () => ({ statusCode: 200, body: `${++runs}` });
const send = async (event: any, options: Partial<HandlerOptions<any>> = {}): Promise<unknown> => {
  return sendTo(run, event, options);
};
const sendTo = async (handle: () => unknown, event: any, options: Partial<HandlerOptions<any>> = {}) => {
  const handler = idempotent(handle, { store, scope: 'test', ...options });
  return handler(structuredClone(event), lambdaContext()).catch((error) =>
    isIdempotencyError(error) ? `${error.code}: ${error.message}` : error,
  );
};
const eventOf = (title: string): any => structuredClone(EVENTS.find(({ name }) => name.startsWith(title))?.first);

describe('a batch of records, at a door for one event', () => {
  it.each([
    ['an event of SQS', 'a queue'],
    ['an event of Kinesis', 'Kinesis'],
    ['an event of a DynamoDB stream', 'a DynamoDB stream'],
    ['an event of Kafka', 'Kafka'],
    ['an event of Kafka', 'self-managed Kafka'],
  ])('is refused without a key, and told where to go: %s', async (title, name) => {
    const event = eventOf(name.replace('self-managed ', ''));
    if (name.includes('self-managed')) event.eventSource = 'SelfManagedKafka';
    const words = `${title} holds a batch of records: use \`idempotentBatch\`, or give \`key\` to take it as one`;
    expect(await send(event)).toBe(`MISUSE: ${words}`);
    expect(await send(event, { onMissingKey: 'run' })).toBe(`MISUSE: ${words}`);
    const chain = middy()
      .use(idempotency({ store, scope: 'test' }))
      .handler(run);
    await expect(chain(event, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
    expect(runs).toBe(0);
  });

  it('is the same payload only with all its records, in their order', async () => {
    const batch = (...bodies: string[]) => ({ Records: bodies.map((body) => sqsRecord(body)) });
    const options = { key: () => 'k' };
    expect(await send(batch('1', '2'), options)).toBe(1);
    expect(await send(batch('1', '2'), options)).toBe(1);
    for (const other of [batch('2', '1'), batch('1'), batch('1', '2', '2')]) {
      expect(await send(other, options)).toMatch('MISMATCH');
    }
  });
});

it.each([
  [{ Records: [{ messageId: 'm', text: 'a' }] }, { Records: [{ messageId: 'm', text: 'b' }] }],
  [{ Records: [{ body: 'x', amount: 5 }] }, { Records: [{ body: 'x', amount: 6 }] }],
  [
    { Records: [{ eventSource: 'aws:sqs', body: {}, amount: 5 }] },
    { Records: [{ eventSource: 'aws:sqs', body: {}, amount: 6 }] },
  ],
  [
    { Records: [sqsRecord('x', { messageId: 'm' }), { amount: 5 }] },
    { Records: [sqsRecord('x', { messageId: 'm' }), { amount: 6 }] },
  ],
  [
    { Records: [{ kinesis: { partitionKey: 'k', data: '' }, amount: 5 }] },
    { Records: [{ kinesis: { partitionKey: 'k', data: '' }, amount: 6 }] },
  ],
  [
    { eventSource: 'aws:kafka', records: { a: [{ topic: 't', offset: 1, amount: 5 }] } },
    { eventSource: 'aws:kafka', records: { a: [{ topic: 't', offset: 1, amount: 6 }] } },
  ],
  [
    { amount: 5, records: [{ messageId: 'm', body: 'x' }] },
    { amount: 500, records: [{ messageId: 'm', body: 'x' }] },
  ],
  [
    { records: { a: [{ topic: 't', partition: 0, offset: 1, value: 'MQ==', amount: 5 }] } },
    { records: { a: [{ topic: 't', partition: 0, offset: 1, value: 'MQ==', amount: 6 }] } },
  ],
])('an event that looks like a batch to half is plain: %o', async (event, other) => {
  const options = { key: () => 'k' };
  expect([await send(event, options), await send(event, options)]).toEqual([1, 1]);
  expect(await send(other, options)).toMatch('MISMATCH');
});

describe('the content of a record, taken with others as one', () => {
  const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
  const kinesis = (over: object) => {
    const event = eventOf('Kinesis');
    Object.assign(event.Records[0].kinesis, over);
    return event;
  };
  const stream = (over: object, dynamodb: object = {}) => {
    const event = eventOf('a DynamoDB stream');
    Object.assign(event.Records[0], over);
    Object.assign(event.Records[0].dynamodb, dynamodb);
    return event;
  };
  const kafka = (over: object, more: object[] = []) => {
    const event = eventOf('Kafka');
    Object.assign(event.records['orders-0'][0], over);
    event.records['orders-0'].push(...more);
    return event;
  };

  it.each<[string, any, any, boolean]>([
    ['Kinesis by its partition key', kinesis({}), kinesis({ partitionKey: 'o-2' }), false],
    ['Kinesis by its bytes', kinesis({ data: base64('\xff') }), kinesis({ data: base64('\xfe') }), false],
    [
      'Kinesis by its JSON',
      kinesis({ data: base64('{"a":1,"b":2}') }),
      kinesis({ data: base64('{ "b":2, "a":1 }') }),
      true,
    ],
    [
      'Kinesis by what looks like other bytes',
      kinesis({ data: base64('"YQ=="') }),
      kinesis({ data: base64('a') }),
      false,
    ],
    ['a stream by what was done', stream({}), stream({ eventName: 'MODIFY' }), false],
    ['a stream by what was there before', stream({}), stream({}, { OldImage: { a: { S: 'b' } } }), false],
    ['Kafka by its topic', kafka({}), kafka({ topic: 'refunds' }), false],
    ['Kafka by its key', kafka({}), kafka({ key: base64('o-2') }), false],
    ['Kafka by whether there is a value', kafka({ value: null }), kafka({ value: '' }), false],
    [
      'Kafka by all its records',
      kafka({}),
      kafka({}, [{ topic: 'orders', partition: 0, offset: 2, value: 'MQ==' }]),
      false,
    ],
  ])('is compared: %s', async (_, one, other, areSame) => {
    const options = { key: () => 'k' };
    expect(await send(one, options)).toBe(1);
    const answer = await send(other, options);
    if (areSame) expect(answer).toBe(1);
    else expect(answer).toMatch('MISMATCH');
  });
});

it('a pipe sends bare records: with a key their content is the payload', async () => {
  const options = { key: () => 'k' };
  const record = () => sqsRecord('{"amount":5}', { receiptHandle: crypto.randomUUID() });
  expect([await send([record()], options), await send([record()], options)]).toEqual([1, 1]);
  expect(await send([sqsRecord('{"amount":6}')], options)).toMatch('MISMATCH');
});

describe('AppSync', () => {
  const field = (over: object, info: object = {}) => {
    const event = eventOf('AppSync, with a header');
    return { ...event, ...over, info: { ...event.info, ...info } };
  };

  it.each([
    ['a query', field({}, { parentTypeName: 'Query' })],
    ['a subscription', field({}, { parentTypeName: 'Subscription' })],
    ['a field of what a mutation gave', field({ source: { id: 'o-1' } }, { parentTypeName: 'Order' })],
  ])('never records %s, whatever its key', async (_, event) => {
    expect([await send(event), await send(event), await send(event, { key: () => 'k' })]).toEqual([1, 2, 3]);
    expect(store.records()).toEqual([]);
  });

  it('protects a mutation whatever it hangs on, and those of Amplify', async () => {
    const { info, ...event } = field({ source: {} });
    expect([await send({ ...event, info }), await send({ ...event, info })]).toEqual([1, 1]);
    expect(await send({ ...event, info, source: { id: 'o-1' } })).toBe(1);
    const renamed = { ...event, info: { ...info, parentTypeName: 'MyMutation' }, source: null };
    expect([await send(renamed), await send(renamed)]).toEqual([2, 2]);
    runs = 0;
    store = memoryStore();
    const amplify = { ...event, typeName: 'Mutation', fieldName: 'placeOrder' };
    expect([await send(amplify), await send({ ...amplify, typeName: 'Query' })]).toEqual([1, 2]);
  });

  it.each([
    [1, 1_000],
    ['A', 'B'],
    [null, {}],
    [[1], { 0: 1 }],
    [true, undefined],
  ])('compares an argument that is named input, whatever it is: %o and %o', async (input, other) => {
    expect(await send(field({ arguments: { input } }))).toBe(1);
    expect(await send(field({ arguments: { input } }))).toBe(1);
    expect(await send(field({ arguments: { input: other } }))).toMatch('MISMATCH');
  });

  it('knows a batch: of fields that hang on others it records nothing, of mutations it wants a key', async () => {
    const nested = field({ source: { id: 'o-1' } }, { parentTypeName: 'Order' });
    expect([await send([nested, nested]), await send([nested, nested])]).toEqual([1, 2]);
    expect(await send([field({})])).toMatch(/^MISUSE: .*give `key`/);
    expect(await send([nested, field({})])).toMatch(/^MISUSE: .*give `key`/);
    expect(await send([nested, {}])).toMatch(/^KEY_MISSING: .*no known source/);
    const mutations = () => [eventOf('AppSync, with a header'), field({}, { fieldName: 'cancelOrder' })];
    const options = { key: () => 'k' };
    expect([await send(mutations(), options), await send(mutations(), options)]).toEqual([3, 3]);
    expect(await send(mutations().reverse(), options)).toMatch('MISMATCH');
  });

  it('asks for a key in its own words', async () => {
    const event = field({ request: { headers: {} }, arguments: { input: { amount: 5 } } });
    expect(await send(event)).toBe(
      'KEY_MISSING: no idempotency key: send an Idempotency-Key header, or a clientMutationId in the input',
    );
  });

  it('keeps fields apart, and takes clientMutationId beside the input, too', async () => {
    const request = { headers: {} };
    const args = { clientMutationId: 'm', amount: 5 };
    expect(await send(field({ request, arguments: args }))).toBe(1);
    expect(await send(field({ request, arguments: args }, { fieldName: 'cancelOrder' }))).toBe(2);
    expect(await send(field({ request, arguments: args }))).toBe(1);
    expect(await send(field({ request, arguments: { ...args, amount: 6 } }))).toMatch('MISMATCH');
  });
});

describe('a WebSocket API', () => {
  it('has no key of its own', async () => {
    expect(await send(eventOf('a WebSocket API'))).toMatchObject({
      statusCode: 400,
      body: expect.stringContaining('carries no key of its own'),
    });
  });

  it('does not record a failure', async () => {
    const handler = idempotent(async () => ({ statusCode: ++runs === 1 ? 500 : 200 }), {
      store,
      scope: 't',
      key: () => 'k',
    });
    const event = eventOf('a WebSocket API');
    expect([await handler(event, lambdaContext()), await handler(event, lambdaContext())]).toEqual([
      { statusCode: 500 },
      { statusCode: 200 },
    ]);
  });

  it.each(['CONNECT', 'DISCONNECT'])('lets a %s pass without one', async (eventType) => {
    const { requestContext, ...event } = eventOf('a WebSocket API');
    expect(await send({ ...event, requestContext: { ...requestContext, eventType } })).toBe(1);
  });
});

describe('VPC Lattice', () => {
  it('compares the query as it came, where version 1 lists one value of a parameter that is there twice', async () => {
    const event = (query: string) => ({
      ...eventOf('VPC Lattice, version 1'),
      raw_path: `/orders?${query}`,
      query_string_parameters: { x: '2' },
    });
    expect([await send(event('x=1&x=2')), await send(event('x=1&x=2'))]).toEqual([1, 1]);
    expect(await send(event('x=3&x=2'))).toMatchObject({ statusCode: 422 });
  });

  it('reads version 1: its base64, its query, its path', async () => {
    const event = (over: object) => ({ ...eventOf('VPC Lattice, version 1'), ...over });
    const body = Buffer.from('{"amount":5}').toString('base64');
    expect(await send(event({}))).toBe(1);
    expect(await send(event({ body, is_base64_encoded: true }))).toBe(1);
    expect(await send(event({ query_string_parameters: { a: '1' } }))).toMatchObject({ statusCode: 422 });
    expect([
      await send(event({ raw_path: '/refunds?a=1' })),
      await send(event({ raw_path: '/refunds?a=2' })),
    ]).toMatchObject([2, { statusCode: 422 }]);
  });

  it('compares the query that version 2 lists', async () => {
    const event = (x: string[]) => ({ ...eventOf('VPC Lattice, version 2'), queryStringParameters: { x } });
    expect([await send(event(['1', '2'])), await send(event(['1', '2']))]).toEqual([1, 1]);
    expect(await send(event(['2', '1']))).toMatchObject({ statusCode: 422 });
  });
});

describe('S3', () => {
  const object = (over: object = {}, record: object = {}) => {
    const { Records } = eventOf('S3');
    const { bucket } = Records[0].s3;
    return { Records: [{ ...Records[0], s3: { bucket, object: { key: 'a', eTag: 'e', ...over } }, ...record }] };
  };

  it.each<[string, any, any]>([
    ['another object', object({ key: 'a', sequencer: '1' }), object({ key: 'b', sequencer: '1' })],
    ['a later write of it', object({ sequencer: '1' }), object({ sequencer: '2' })],
    ['another version', object({ versionId: '1' }), object({ versionId: '2' })],
    [
      'a later write while versions are suspended',
      object({ versionId: 'null', sequencer: '1' }),
      object({ versionId: 'null', sequencer: '2' }),
    ],
    [
      'what was done to it',
      object({ sequencer: '1' }),
      object({ sequencer: '1' }, { eventName: 'ObjectRemoved:Delete' }),
    ],
    [
      'tags that were set again, which has no sequencer',
      object({ versionId: '1' }, { eventName: 'ObjectTagging:Put', eventTime: '2026-01-01T00:00:00Z' }),
      object({ versionId: '1' }, { eventName: 'ObjectTagging:Put', eventTime: '2026-01-01T00:00:01Z' }),
    ],
    [
      'tags that were set again, with a sequencer',
      object({ versionId: '1', sequencer: '1' }, { eventName: 'ObjectTagging:Put' }),
      object({ versionId: '1', sequencer: '2' }, { eventName: 'ObjectTagging:Put' }),
    ],
  ])('is another event by %s', async (_, one, another) => {
    expect([await send(one), await send(another), await send(one), await send(another)]).toEqual([1, 2, 1, 2]);
  });

  it('takes objects for one that differ by their encoding alone, and names that cannot be printed', async () => {
    expect(await send(object({ key: 'a+b%0A', sequencer: '1' }))).toBe(1);
    expect(await send(object({ key: 'a%20b%0A', sequencer: '1' }))).toBe(1);
    expect(await send(object({ key: '100%', sequencer: '1' }))).toBe(2); // which S3 would not send
  });

  it('asks for a key where it has neither version nor sequencer', async () => {
    expect(await send(object())).toMatch('KEY_MISSING');
  });

  it('runs a test message unprotected', async () => {
    const test = { Service: 'Amazon S3', Event: 's3:TestEvent', Time: '2026-01-01T00:00:00Z', Bucket: 'receipts' };
    expect([await send(test), await send(test, { key: ({ Records }) => Records[0].id })]).toEqual([1, 2]);
    expect(store.records()).toEqual([]);
  });

  it('knows several records in one event', async () => {
    const both = { Records: [...object({ sequencer: '1' }).Records, ...object({ sequencer: '2' }).Records] };
    expect([await send(both), await send(both), await send(object({ sequencer: '1' }))]).toEqual([1, 1, 2]);
  });

  it('does not read an event of a major version that it does not know', async () => {
    expect(await send(object({ sequencer: '1' }, { eventVersion: '3.0' }))).toMatch('KEY_MISSING');
  });
});

describe('an envelope in a queue', () => {
  const ids = async (body: unknown): Promise<string | undefined> => {
    const keys: (string | undefined)[] = [];
    const take = async (_: unknown, { idempotency }: { idempotency: Execution }) => void keys.push(idempotency.key);
    const handler = idempotentBatch(take, { store, scope: 'test' });
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    await handler({ Records: [sqsRecord(text, { messageId: 'the message' })] }, lambdaContext());
    return keys[0];
  };
  const event = { ...eventOf('EventBridge'), id: 'the event' };
  const sns = {
    Type: 'Notification',
    MessageId: 'the notification',
    TopicArn: 'arn',
    Message: 'text',
    Timestamp: '2026-01-01T00:00:00Z',
  };

  it('that is whole is opened', async () => {
    expect(await ids(event)).toBe('the event');
    expect(await ids(sns)).toBe('the notification');
    expect(await ids({ ...sns, MessageId: 'another', Message: JSON.stringify(event) })).toBe(undefined); // it ran as 'the event'
  });

  it.each<[string, unknown]>([
    ['an event without an id', { ...event, id: undefined }],
    ['an event without an account', { ...event, account: undefined }],
    ['what looks like an event', { 'detail-type': 'OrderPlaced', detail: {} }],
    ['a notification without an id', { ...sns, MessageId: undefined }],
    ['a notification without a time', { ...sns, Timestamp: undefined }],
    ['a notification whose message is no text', { ...sns, Message: {} }],
    ['a notification without a topic', { ...sns, TopicArn: undefined, about: 'TopicArn' }],
    ['an event whose detail is a text', { ...event, detail: 'text' }],
    ['a confirmation of a subscription', { ...sns, Type: 'SubscriptionConfirmation' }],
    ['two records of S3', { Records: [eventOf('S3').Records[0], eventOf('S3').Records[0]] }],
    ['half a record of S3', { Records: [{ eventSource: 'aws:s3' }] }],
    ['what is cut off', JSON.stringify(event).slice(0, -1)],
    ['a text about one', '"TopicArn"'],
    ['a list of one', [event]],
  ])('that is not whole is a body like any other: %s', async (_, body) => {
    expect(await ids(body)).toBe('the message');
  });

  it.each<[string, string]>([
    ['half a surrogate pair', '"\\ud800"'],
    ['a number that is too large', '1e400'],
    ['more depth than has a canonical form', '['.repeat(300) + ']'.repeat(300)],
  ])('is opened, too, if its content has no canonical form: %s', async (_, value) => {
    const text = (more: object) =>
      JSON.stringify({ ...event, ...more, detail: { a: 'here' } }).replace('"here"', value);
    const take = idempotentBatch(run, { store, scope: 'test' });
    const deliver = (body: string) => take({ Records: [sqsRecord(body)] }, lambdaContext());
    for (const time of ['a', 'b']) expect(await deliver(text({ time }))).toEqual({ batchItemFailures: [] });
    expect(runs).toBe(1);
    const other = text({ time: 'c' }).replace('"detail":{', '"detail":{"b":1,');
    expect((await deliver(other)).batchItemFailures).toHaveLength(1);
  });

  it('is compared with its topic and subject', async () => {
    const take = idempotentBatch(run, { store, scope: 'test', key: () => 'k' });
    const failed = async (more: object) => {
      const body = JSON.stringify({ ...sns, ...more });
      return (await take({ Records: [sqsRecord(body)] }, lambdaContext())).batchItemFailures.length;
    };
    expect([await failed({}), await failed({ Timestamp: 'later' })]).toEqual([0, 0]);
    expect([await failed({ TopicArn: 'another' }), await failed({ Subject: 'refund' })]).toEqual([1, 1]);
  });

  it('with an id that cannot be a key has that of its message', async () => {
    expect(await ids({ ...event, id: 'x'.repeat(256) })).toBe('the message');
    store = memoryStore();
    expect(await ids({ ...sns, MessageId: 'a\tb' })).toBe('the message');
  });

  it('keeps digits that a double does not hold', async () => {
    const handler = idempotentBatch(run, { store, scope: 'test', key: () => 'k' });
    const of = (n: string, time: string, s = 'x') =>
      JSON.stringify({ ...event, time, detail: { n: 0, m: 1, s } }).replace('"n":0', `"n":${n}`);
    const deliver = (body: string) => handler({ Records: [sqsRecord(body)] }, lambdaContext());
    const failed = async (body: string) => (await deliver(body)).batchItemFailures.length;
    expect(await failed(of('9007199254740993', 'a'))).toBe(0);
    expect(await failed(of('9007199254740993', 'b'))).toBe(0);
    expect(await failed(of('9007199254740992', 'b'))).toBe(1);
    expect(await failed(of('"9007199254740993"', 'b'))).toBe(1);
    expect(await failed(of('1e400', 'b'))).toBe(1);
    expect(await failed(of('9007199254740993', 'b', 'y'))).toBe(1);
    expect(runs).toBe(1);
  });
});

describe('an HTTP event without requestContext, as local tools make it', () => {
  const headers = { 'Idempotency-Key': 'k', 'Content-Type': 'application/json' };
  it.each<[string, object]>([
    ['of a REST API', { httpMethod: 'POST', path: '/orders', resource: '/orders', headers, body: '{}' }],
    [
      'of an HTTP API',
      { version: '2.0', routeKey: 'POST /orders', rawPath: '/orders', rawQueryString: '', headers, body: '{}' },
    ],
    ['with an empty one', { httpMethod: 'POST', path: '/orders', headers, body: '{}', requestContext: {} }],
    ['with none but a name for it', { httpMethod: 'POST', path: '/orders', headers, body: '{}', requestContext: null }],
  ])('is one: %s', async (_, event) => {
    const first = { statusCode: 200, body: '1' };
    expect(await sendTo(respond, event)).toEqual(first);
    expect(await sendTo(respond, event)).toEqual({ ...first, headers: { 'Idempotent-Replayed': 'true' } });
    expect(await send({ ...event, headers: {} })).toMatchObject({ statusCode: 400 });
  });

  it('and shares its record with the whole event', async () => {
    const { requestContext, ...partial } = httpEvent({ key: 'k' });
    expect(await send(httpEvent({ key: 'k' }))).toBe(1);
    expect(await send(partial)).toMatchObject({ body: '1' });
  });

  it('is no HTTP event without a path, which would make two resources one', async () => {
    expect(await send({ httpMethod: 'POST', resource: '/orders/{id}/refund', headers, body: '{}' })).toMatch(
      'KEY_MISSING',
    );
    const at = (path: string) => ({ requestContext: { http: { method: 'POST', path } }, headers, body: '{}' });
    expect([await send(at('/charge')), await send(at('/refund'))]).toEqual([1, 2]);
  });

  it('passes through without a key, if its method is safe', async () => {
    expect(await send({ httpMethod: 'GET', path: '/orders', headers: {} })).toBe(1);
  });
});

describe('a form', () => {
  const form = (boundary: string, content: string, type = `multipart/form-data; boundary=${boundary}`) => {
    const event = httpEvent({ key: 'k' });
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${content}\r\n--${boundary}--\r\n`;
    return { ...event, headers: { ...event.headers, 'content-type': type }, body };
  };

  it('is the same with another boundary, quoted or not', async () => {
    expect(await send(form('abc', '1'))).toBe(1);
    expect(await send(form('d e', '1', 'Multipart/Form-Data; boundary="d e"; charset=utf-8'))).toMatchObject({
      body: '1',
    });
    expect(await send(form('abc', '2'))).toMatchObject({ statusCode: 422 });
  });

  it('is compared by its bytes between the boundaries', async () => {
    const binary = (boundary: string, byte: number) => {
      const event = form(boundary, 'x');
      const body = Buffer.from(event.body.replace('x', String.fromCharCode(byte)), 'latin1').toString('base64');
      return { ...event, body, isBase64Encoded: true };
    };
    expect(await send(binary('a', 0xff))).toBe(1);
    expect(await send(binary('b', 0xff))).toMatchObject({ body: '1' });
    expect(await send(binary('a', 0xfe))).toMatchObject({ statusCode: 422 });
  });

  it('is the same however its type is written', async () => {
    expect(await send(form('abc', '1', 'multipart/form-data; boundary = abc'))).toBe(1);
    expect(await send(form('d', '1', 'multipart/form-data;boundary="d"'))).toMatchObject({ body: '1' });
  });

  it.each(['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=other'])(
    'is compared by its bytes, where %s does not say what its boundary is',
    async (type) => {
      expect(await send(form('abc', '1', type))).toBe(1);
      expect(await send(form('abc', '1', type))).toMatchObject({ body: '1' });
      expect(await send(form('abd', '1', type))).toMatchObject({ statusCode: 422 });
    },
  );
});

describe('an event of no known source', () => {
  it.each([{}, null, { headers: {}, body: '{}' }, 'text', [{}], { Records: [] }])(
    '%o is told which are known',
    async (event) => {
      expect(await send(event)).toMatch(/^KEY_MISSING.*option `key`.*API Gateway.*AppSync.*EventBridge.*SNS.*S3/);
    },
  );

  it('is told which option says what must not change', async () => {
    const key = () => 'k';
    await send({ orderId: 'o-1', taskToken: 'a' }, { key });
    expect(await send({ orderId: 'o-1', taskToken: 'b' }, { key })).toMatch(/^MISMATCH.*the option `fingerprint`/);
  });
});

describe('stepFunctionsKey', () => {
  const state = { executionId: 'arn:aws:states:eu-central-1:1:execution:m:e', stateName: 'Charge' };

  it('is a key: the same for the same visit of a state, and another for any other', () => {
    const visits = [
      state,
      { ...state, executionId: `${state.executionId}2` },
      { ...state, stateName: 'Ship' },
      { ...state, mapIndex: 0 },
      { ...state, mapIndex: 1 },
      { ...state, enteredTime: '2026-01-01T00:00:00Z' },
      { ...state, enteredTime: '2026-01-01T00:00:01Z' },
    ];
    const keys = visits.map((visit) => stepFunctionsKey(visit));
    expect(new Set(keys).size).toBe(visits.length);
    expect(visits.map((visit) => stepFunctionsKey({ ...visit, ...{ taskToken: Math.random() } }))).toEqual(keys);
    expect(stepFunctionsKey({ ...state, mapIndex: '0' })).toBe(keys[3]);
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/);
  });

  it.each([
    undefined,
    {},
    { executionId: '', stateName: 'Charge' },
    { executionId: 'e' },
    { stateName: 'Charge' },
    { ...state, mapIndex: {} },
    { ...state, enteredTime: ['a'] },
  ])('is refused for a part of it: %o', (part: any) => {
    expect(() => stepFunctionsKey(part)).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  });
});

it('the trace of an event is told as its sender wrote it', async () => {
  const traces: (string | undefined)[] = [];
  const unsubscribe = subscribe((event) => void (event.type === 'settled' && traces.push(event.trace)));
  const headers = (more: object) => ({ ...eventOf('AppSync, with a header'), request: { headers: more } });
  const sns = (MessageAttributes: object) => {
    const event = eventOf('SNS');
    Object.assign(event.Records[0].Sns, { MessageAttributes });
    return event;
  };
  const [x, w] = [
    { Type: 'String', Value: 'Root=1' },
    { Type: 'String', Value: '00-1' },
  ];
  for (const event of [
    headers({ 'X-Amzn-Trace-Id': 'Root=1' }),
    headers({ 'x-amzn-trace-id': 'Root=1', TraceParent: '00-1' }),
    sns({ traceparent: w }),
    sns({ traceparent: w, AWSTraceHeader: x }),
    sns({}),
  ])
    await send(event);
  unsubscribe();
  expect(traces).toEqual(['Root=1', '00-1', '00-1', 'Root=1', undefined]);
});
