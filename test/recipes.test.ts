import { createHmac } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, it, vi } from 'vitest';
import { charged } from '../examples/readme/payments.ts';
import { did } from '../examples/readme/trips.ts';
import { createTable, engineClient } from './engine.ts';
import { httpEvent } from './events.ts';
import { runExamples } from './examples.ts';
import { lambdaContext, sqsRecord } from './ways.ts';

runExamples();

const post = (body: unknown, key: string = crypto.randomUUID()) => httpEvent({ key, body });
const REPLAYED = { headers: expect.objectContaining({ 'Idempotent-Replayed': 'true' }) };

it('validation: a request that was refused may come again, mended, with its key', async () => {
  const { handler } = await import('../examples/readme/valid-order.ts');
  const key = crypto.randomUUID();
  expect(await handler(post({ orderId: 'v-1' }, key), lambdaContext())).toMatchObject({ statusCode: 400 });
  expect(await handler(post({ orderId: 'v-1', amount: 5 }, key), lambdaContext())).toMatchObject({ statusCode: 201 });
  expect(charged).toEqual(['v-1']);
});

it('a declined card: the provider is asked once, and the message is done', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { handler } = await import('../examples/readme/declined.ts');
  const { payments } = await import('../examples/readme/payments.ts');
  const ask = vi.spyOn(payments, 'charge');
  for (let delivery = 0; delivery < 2; delivery++) {
    const Records = [sqsRecord(JSON.stringify({ orderId: 'd-1', amount: 20_000 }))];
    expect(await handler({ Records }, lambdaContext())).toEqual({ batchItemFailures: [] });
  }
  expect(ask).toHaveBeenCalledOnce();
});

it('CORS: a browser may read the headers of an answer and of a refusal, and asks before it sends a key', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {}); // before http-error-handler takes it for its logger
  const { handler } = await import('../examples/readme/cors.ts');
  const from = (event: ReturnType<typeof httpEvent>) => {
    const headers = { ...event.headers, origin: 'https://shop.example.com' };
    return handler({ ...event, headers }, lambdaContext());
  };
  const exposed = { 'Access-Control-Expose-Headers': 'Idempotent-Replayed, Retry-After' };
  expect(await from(post({}))).toMatchObject({ statusCode: 201, headers: exposed });
  expect(await from(httpEvent({ body: {} }))).toMatchObject({ statusCode: 400, headers: exposed });
  expect(await from(httpEvent({ method: 'OPTIONS' }))).toMatchObject({
    statusCode: 204,
    headers: { 'Access-Control-Allow-Headers': 'Content-Type, Idempotency-Key' },
  });
});

it('a warm-up needs no key', async () => {
  const { handler } = await import('../examples/readme/warm-up.ts');
  expect(await handler({ source: 'warm-up' } as any, lambdaContext())).toEqual({ statusCode: 204 });
  expect(await handler(httpEvent({}), lambdaContext())).toMatchObject({ statusCode: 400 });
});

it('response encoding: a retry that accepts no gzip can read the answer', async () => {
  const { handler } = await import('../examples/readme/encoding.ts');
  const event = post({});
  const headers = { ...event.headers, 'accept-encoding': 'gzip, br' };
  const first: any = await handler({ ...event, headers }, lambdaContext());
  const again: any = await handler(event, lambdaContext());
  expect(again).toMatchObject(REPLAYED);
  expect(gunzipSync(Buffer.from(first.body, 'base64')).toString()).toBe(again.body);
});

it('a webhook of Stripe: an event is fulfilled once, a forged one never', async () => {
  vi.stubEnv('STRIPE_SECRET', 'whsec_test');
  const { handler } = await import('../examples/readme/stripe-webhook.ts');
  const deliver = (event: object, secret = 'whsec_test') => {
    const [at, body] = [Math.floor(Date.now() / 1_000), JSON.stringify(event)];
    const v1 = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
    return handler(
      httpEvent({ event: { body, headers: { 'stripe-signature': `t=${at},v1=${v1}` } } }),
      lambdaContext(),
    );
  };
  const event = { id: 'evt_1', type: 'invoice.paid', data: { object: { id: 'in_1' } } };
  expect(await deliver({ ...event, pending_webhooks: 1 })).toEqual({ statusCode: 200 });
  expect(await deliver({ ...event, pending_webhooks: 0 })).toMatchObject({ statusCode: 200, ...REPLAYED });
  expect(await deliver(event, 'guessed')).toEqual({ statusCode: 400 });
});

it('a webhook of Slack: a retry gets the recorded answer', async () => {
  vi.stubEnv('SLACK_SECRET', 'slack_test');
  const { handler } = await import('../examples/readme/slack-webhook.ts');
  const deliver = (content: object, secret = 'slack_test') => {
    const [at, body] = [`${Math.floor(Date.now() / 1_000)}`, JSON.stringify(content)];
    const signature = `v0=${createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')}`;
    const headers = { 'x-slack-request-timestamp': at, 'x-slack-signature': signature };
    return handler(httpEvent({ event: { body, headers } }), lambdaContext());
  };
  const mention = { type: 'event_callback', event_id: 'Ev1', event: { user: 'U1', text: 'hello' } };
  expect(await deliver(mention)).toEqual({ statusCode: 200 });
  expect(await deliver(mention)).toMatchObject({ statusCode: 200, ...REPLAYED });
  expect(await deliver({ type: 'url_verification', challenge: 'c' })).toEqual({ statusCode: 200, body: 'c' });
  expect(await deliver(mention, 'guessed')).toEqual({ statusCode: 401 });
});

it('an outbox: the order and its message are written once, and sent under one key', async () => {
  const client = engineClient();
  const TableName = await createTable(client, 'orderId');
  vi.stubEnv('ORDERS_TABLE', await createTable(client, 'orderId'));
  vi.stubEnv('OUTBOX_TABLE', TableName);
  const { handler } = await import('../examples/readme/outbox.ts');
  const event = post({ item: 'book' });
  for (let attempt = 0; attempt < 2; attempt++) await handler(event, lambdaContext());
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  expect(Items).toHaveLength(1);

  const send = vi.spyOn(SQSClient.prototype, 'send').mockImplementation(async () => ({}));
  const { handler: relay } = await import('../examples/readme/relay.ts');
  const inserted = { eventName: 'INSERT', dynamodb: { SequenceNumber: '1', Keys: {}, NewImage: Items[0] } };
  const record = { eventID: 'e-1', eventSource: 'aws:dynamodb', eventSourceARN: 'arn:table', ...inserted } as any;
  expect(await relay({ Records: [record] }, lambdaContext())).toEqual({ batchItemFailures: [] });
  expect(send.mock.calls.map(([command]: any) => command.input.MessageDeduplicationId)).toEqual([expect.any(String)]);
  send.mockRestore();
});

it('a saga: what was booked is cancelled once, and a redelivery books nothing', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { handler } = await import('../examples/readme/saga.ts');
  for (const tripId of ['trip-1', 'full', 'full']) {
    const Records = [sqsRecord(JSON.stringify({ tripId }))];
    expect(await handler({ Records }, lambdaContext())).toEqual({ batchItemFailures: [] });
  }
  const names = did.map((line) => line.split(' ')[0]);
  expect(names).toEqual(['book-flight', 'book-hotel', 'book-flight', 'cancel-flight']);
});
