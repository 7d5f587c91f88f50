import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { idempotent } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { expect, it } from 'vitest';
import { type HttpRequest, httpEvent } from '../events.ts';
import { isDown, losesAnswer } from '../faults.ts';
import { lambdaContext } from '../ways.ts';
import { LEASE_MS, type Order, seen, stoppable, worldOfTests } from './world.ts';

const world = worldOfTests();
type Response = APIGatewayProxyStructuredResultV2;

const chain = () =>
  middy<APIGatewayProxyEventV2, Response>().use(idempotency({ store: world.store(), scope: 'orders' }));
const post = (handler: ReturnType<typeof chain>, request: HttpRequest = {}): Promise<any> =>
  handler(httpEvent({ key: 'order-1', body: { item: 'book' }, ...request }), lambdaContext());

/** An operation whose runs the test stops, and lets end in the order it likes. */
const stopped = () => {
  const { handler, runs, begin } = stoppable<string>();
  const call = idempotent(async (_: Order) => handler(), {
    store: world.store(),
    scope: 'charge',
    key: ({ orderId }) => orderId,
  });
  const again = () => call({ orderId: '1' }, lambdaContext());
  return { runs, again, begin: () => begin(again) };
};

it('A1: a rejected duplicate does not release the claim of the run in flight', async () => {
  const { handler, runs, begin } = stoppable<Response>();
  const orders = chain().handler(handler);
  const first = await begin(() => post(orders));
  expect(await post(orders)).toMatchObject({ statusCode: 409 });
  expect(await post(orders)).toMatchObject({ statusCode: 409 });
  first.resolve({ statusCode: 201 });
  expect(await first.answer).toEqual({ statusCode: 201 });
  expect(await post(orders)).toMatchObject({ statusCode: 201 });
  expect(runs()).toBe(1);
});

it('A2: a request with another payload does not delete the outcome that is on record', async () => {
  let runs = 0;
  const orders = chain().handler(async () => ({ statusCode: 201, body: `run ${++runs}` }));
  await post(orders);
  expect(await post(orders, { body: { item: 'another' } })).toMatchObject({ statusCode: 422 });
  expect(await post(orders)).toMatchObject({ statusCode: 201, body: 'run 1' });
});

it('A3: neither an error in a later hook nor a claim that the store refuses deletes an outcome', async () => {
  let runs = 0;
  const failures = [new Error('outer'), new Error('inner')];
  const fails = async (): Promise<void> => {
    const failure = failures.shift();
    if (failure) throw failure;
  };
  const orders = middy<APIGatewayProxyEventV2, Response>()
    .after(fails) // outside the idempotency middleware: runs when the outcome is on record
    .use(idempotency({ store: world.store(), scope: 'orders' }))
    .after(fails) // inside: runs before it is
    .handler(async () => ({ statusCode: 201, body: `run ${++runs}` }));
  await expect(post(orders)).rejects.toThrow('outer');
  expect(await post(orders)).toMatchObject({ body: 'run 1' });
  await expect(post(orders, { key: 'order-2' })).rejects.toThrow('inner');
  expect(await post(orders, { key: 'order-2' })).toMatchObject({ body: 'run 2' });
  world.aws().next('PutItem', ...isDown);
  expect(await post(orders)).toMatchObject({ statusCode: 503 });
  expect(await post(orders)).toMatchObject({ body: 'run 1' });
});

it('A4: a run that was taken over neither overwrites its successor nor brings back what was deleted', async () => {
  const { again, begin } = stopped();
  const stale = await begin();
  world.wait(LEASE_MS);
  const successor = await begin();
  successor.resolve('successor');
  await successor.answer;
  stale.resolve('stale');
  expect(await stale.answer).toBe('successor');
  expect(await again()).toBe('successor');

  world.wait(25 * 3_600_000);
  const deleted = await begin();
  const [record] = await world.records();
  const Key = { id: record?.['id'] as { S: string } };
  await world.aws().client.send(new DeleteItemCommand({ TableName: world.tableName(), Key }));
  deleted.resolve('deleted');
  await seen(deleted.answer);
  expect(await world.records()).toEqual([]);
});

it('A5: a run that was taken over and fails does not delete the outcome of its successor', async () => {
  const { again, begin, runs } = stopped();
  const stale = await begin();
  world.wait(LEASE_MS);
  const successor = await begin();
  successor.resolve('successor');
  await successor.answer;
  stale.reject(new Error('late'));
  expect(await stale.answer).toBe('successor');
  expect(await again()).toBe('successor');
  expect(runs()).toBe(2);
});

it('A6: a claim that landed though its answer was lost is known as its own, and its handler runs', async () => {
  const { begin, again, runs } = stopped();
  world.aws().next('PutItem', losesAnswer);
  const first = await begin();
  first.resolve('done');
  expect(await first.answer).toBe('done');
  expect(await again()).toBe('done');
  expect(runs()).toBe(1);
});

it('A7: a retention shorter than the run does not end its lease', async () => {
  const { handler, runs, begin } = stoppable<string>();
  const call = idempotent(async (_: Order) => handler(), {
    store: world.store(),
    scope: 'charge',
    key: ({ orderId }) => orderId,
    retention: '1s',
  });
  const again = () => call({ orderId: '1' }, lambdaContext());
  const first = await begin(again);
  world.wait(9_000);
  expect(await seen(again())).toBe('CONFLICT');
  first.resolve('done');
  expect(await first.answer).toBe('done');
  expect(runs()).toBe(1);
});
