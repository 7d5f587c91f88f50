import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { earlyTimeout, idempotency } from 'effectively-once/middy';
import oldest from 'middy-oldest';
import { expect, it } from 'vitest';
import { type HttpRequest, httpEvent } from '../events.ts';
import { lambdaContext } from '../ways.ts';
import { durableContext, stoppable, worldOfTests } from './world.ts';

const world = worldOfTests();
type Response = APIGatewayProxyStructuredResultV2;

const chain = (plugin: object = {}) =>
  middy<APIGatewayProxyEventV2, Response>(plugin).use(idempotency({ store: world.store(), scope: 'orders' }));
type Chain = ReturnType<typeof chain>;
const post = (handler: Chain, { timeoutMs, ...request }: HttpRequest & { timeoutMs?: number } = {}): Promise<any> =>
  handler(httpEvent({ key: 'order-1', ...request }), lambdaContext(timeoutMs));
const REPLAYED = { 'Idempotent-Replayed': 'true' };

it('B1: an early timeout does not free the key of a handler that still runs', async () => {
  const { handler, runs, begin } = stoppable<Response>();
  const orders = chain().handler(handler);
  const { answer, resolve } = await begin(() => post(orders, { timeoutMs: 40 }));
  await expect(answer).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await post(orders)).toMatchObject({ statusCode: 409 });
  resolve({ statusCode: 201 });
  expect(await post(orders)).toMatchObject({ statusCode: 409 });
  expect(runs()).toBe(1);
});

it('B2: the response of an early timeout is not recorded as the outcome', async () => {
  const { handler, begin } = stoppable<Response>();
  const orders = chain({ timeoutEarlyResponse: earlyTimeout(() => ({ statusCode: 504 })) }).handler(handler);
  const timedOut = await begin(() => post(orders, { timeoutMs: 40 }));
  expect(await timedOut.answer).toEqual({ statusCode: 504 });
  expect(await post(orders)).toMatchObject({ statusCode: 409 });
  world.wait(1_040); // its lease, with the clock skew
  const second = await begin(() => post(orders));
  second.resolve({ statusCode: 201 });
  expect(await second.answer).toEqual({ statusCode: 201 });
  expect(await post(orders)).toMatchObject({ statusCode: 201 });
});

it('B3: a handler that returns nothing does not run again', async () => {
  let runs = 0;
  const orders = chain().handler(async () => {
    runs++;
    return undefined as unknown as Response;
  });
  expect([await post(orders), await post(orders), runs]).toEqual([undefined, undefined, 1]);
});

it('B4: a replay carries what later middlewares made of the first response', async () => {
  const orders = chain()
    .use(httpCors({ origin: '*' }))
    .after((request) => {
      request.response = { ...request.response, body: 'serialized' };
    })
    .handler(async () => ({ statusCode: 201 }));
  const first = await post(orders);
  expect(first).toEqual({ statusCode: 201, body: 'serialized', headers: { 'Access-Control-Allow-Origin': '*' } });
  expect(await post(orders)).toEqual({ ...first, headers: { ...first.headers, ...REPLAYED } });
});

it('B5: an onError that answers for a failed handler does not keep its key', async () => {
  let runs = 0;
  const orders = chain()
    .onError(async () => ({ statusCode: 500 }))
    .handler(async () => {
      if (++runs === 1) throw new Error('provider is away');
      return { statusCode: 201 };
    });
  expect(await post(orders)).toEqual({ statusCode: 500 });
  expect(await post(orders)).toEqual({ statusCode: 201 });
});

it('B6: the middleware refuses a durable context before anything is claimed, and touches no record', async () => {
  let runs = 0;
  const orders = chain().handler(async () => ({ statusCode: 201, body: `run ${++runs}` }));
  expect(await orders(httpEvent({ key: 'order-1' }), durableContext())).toMatchObject({ statusCode: 500 });
  expect(await world.records()).toEqual([]);
  await post(orders);
  expect(await orders(httpEvent({ key: 'order-1' }), durableContext())).toMatchObject({ statusCode: 500 });
  expect(await post(orders)).toMatchObject({ body: 'run 1', headers: REPLAYED });
});

it('B7: a request that needs no key leaves no mark on the next one', async () => {
  let runs = 0;
  // The oldest Middy 7 hands every request the very object that it was given.
  const orders = (oldest as typeof middy)<APIGatewayProxyEventV2, Response>({ internal: {} })
    .use(idempotency({ store: world.store(), scope: 'orders' }))
    .handler(async () => ({ statusCode: 200, body: `run ${++runs}` }));
  const unkeyed = httpEvent({ method: 'PUT' });
  expect(await orders(unkeyed, lambdaContext())).toMatchObject({ body: 'run 1' });
  expect(await post(orders)).toMatchObject({ body: 'run 2' });
  expect(await post(orders)).toMatchObject({ body: 'run 2', headers: REPLAYED });
});
