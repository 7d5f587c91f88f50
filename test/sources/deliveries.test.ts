import middy from '@middy/core';
import { type HandlerOptions, idempotent, idempotentBatch } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { recordId } from 'effectively-once/operator';
import { type MemoryStore, memoryStore } from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lambdaContext } from '../ways.ts';
import { type Delivery, EVENTS, MESSAGES } from './deliveries.ts';

let store: MemoryStore;
let runs: number;
beforeEach(() => {
  store = memoryStore();
  runs = 0;
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const run = async () => ({ statusCode: 201, body: `run ${++runs}` });
const optionsOf = ({ options }: Delivery): HandlerOptions<any> => ({ store, scope: 'test', ...options });

const DOORS: [string, (delivery: Delivery) => (event: unknown) => Promise<any>][] = [
  ['idempotent', (of) => (event) => idempotent(run, optionsOf(of))(event, lambdaContext())],
  [
    'middy',
    (of) => (event) =>
      middy()
        .use(idempotency(optionsOf(of)))
        .handler(run)(event, lambdaContext()),
  ],
];

describe.each(DOORS)('%s', (_, build) => {
  it.each(EVENTS)('$name: knows a second delivery for the same, and its content for the payload', async (delivery) => {
    const { source, first, again, other, identity } = delivery;
    const send = build(delivery);
    expect(await send(first)).toMatchObject({ body: 'run 1' });
    expect(await send(again)).toMatchObject({ body: 'run 1' });
    const refused = await send(other).catch((error) => ({ body: JSON.stringify(error) }));
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'MISMATCH' });
    expect(store.records()).toMatchObject([{ source }]);
    const { key } = identity;
    if (key !== undefined) expect(store.records()[0]?.id).toBe(recordId({ scope: 'test', ...identity, key }));
  });
});

describe('idempotentBatch', () => {
  it.each(MESSAGES)(
    '$name: knows a second delivery for the same, and its content for the payload',
    async (delivery) => {
      const { source, first, again, other, identity } = delivery;
      const send = (event: any, options = {}) =>
        idempotentBatch(run, { ...optionsOf(delivery), ...options })(event, lambdaContext());
      for (const event of [first, again]) expect(await send(event)).toEqual({ batchItemFailures: [] });
      expect(runs).toBe(1);
      expect((await send(other)).batchItemFailures).toHaveLength(1);
      expect(store.records()).toMatchObject([{ source }]);
      const { key } = identity;
      if (key !== undefined) expect(store.records()[0]?.id).toBe(recordId({ scope: 'test', ...identity, key }));
      // A producer that sends the same again, under a key of the user's.
      for (const event of [first, again]) {
        expect(await send(event, { key: () => 'o-1' })).toEqual({ batchItemFailures: [] });
      }
      expect(runs).toBe(2);
    },
  );
});
