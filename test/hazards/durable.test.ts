import { idempotent, idempotentBatch } from 'effectively-once';
import { expect, it } from 'vitest';
import { lambdaContext, sqsRecord } from '../ways.ts';
import { durableContext, type Order, seen, worldOfTests } from './world.ts';

const world = worldOfTests();

it('D1: a durable context is refused before anything is claimed, and replays nothing a second time', async () => {
  let runs = 0;
  const options = { store: world.store(), scope: 'charge' };
  const charge = idempotent(async (_: Order) => ++runs, { ...options, key: ({ orderId }) => orderId });
  const consume = idempotentBatch(async () => ++runs, options);
  expect(await charge({ orderId: '1' }, lambdaContext())).toBe(1);
  expect(await seen(charge({ orderId: '1' }, durableContext()))).toBe('MISUSE');
  expect(await seen(charge({ orderId: '2' }, durableContext()))).toBe('MISUSE');
  const record = sqsRecord('{}');
  expect(await consume({ Records: [record] }, durableContext())).toEqual({
    batchItemFailures: [{ itemIdentifier: record.messageId }],
  });
  expect(await charge({ orderId: '1' }, lambdaContext())).toBe(1);
  expect(runs).toBe(1);
  expect(await world.records()).toHaveLength(1);
});

it('D4: a context that has a step of its own is not taken for a durable one', async () => {
  let runs = 0;
  const charge = idempotent(async (_: Order) => ++runs, {
    store: world.store(),
    scope: 'charge',
    key: ({ orderId }) => orderId,
  });
  const context = { ...lambdaContext(), step: () => {} };
  for (let time = 0; time < 2; time++) expect(await charge({ orderId: '1' }, context)).toBe(1);
});
