import { randomBytes } from 'node:crypto';
import {
  type Execution,
  idempotent,
  idempotentBatch,
  type RunOnceOptions,
  runOnce,
  TerminalError,
} from 'effectively-once';
import { expect, it } from 'vitest';
import { fails, neverAnswers, refuses } from '../faults.ts';
import { lambdaContext, sqsRecord } from '../ways.ts';
import { LEASE_MS, seen, stoppable, worldOfTests } from './world.ts';

const world = worldOfTests();
const once = (fn: (execution: Execution) => unknown, options: Partial<RunOnceOptions> = {}) =>
  runOnce({ store: world.store(), scope: 'charge', key: 'order-1', payload: 1, lease: '10s', ...options }, fn);
const refusing = {
  name: 'none',
  encode: () => {
    throw new Error('no');
  },
  decode: () => 1,
};
const fifo = (body: string) =>
  sqsRecord(body, {
    eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo',
    attributes: { ...sqsRecord('').attributes, MessageGroupId: 'A' },
  });

it('E1: a terminal error that cannot be kept holds back its FIFO group at every delivery', async () => {
  const ran: string[] = [];
  const handler = idempotentBatch(
    async ({ body }) => {
      ran.push(body);
      if (body === '1') throw new TerminalError('declined');
    },
    { store: world.store(), scope: 'orders', codec: refusing },
  );
  const event = { Records: [fifo('1'), fifo('2')] };
  for (let delivery = 0; delivery < 3; delivery++) {
    expect((await handler(event, lambdaContext())).batchItemFailures).toHaveLength(2);
  }
  expect(ran).toEqual(['1']);
});

it('E2: a record whose value is no outcome is reported as failed, and runs again', async () => {
  let runs = 0;
  const handler = idempotentBatch(async () => ({ status: ++runs === 1 ? 'TRY_LATER' : 'DONE' }), {
    store: world.store(),
    scope: 'orders',
    isOutcome: (value: any) => value.status === 'DONE',
  });
  const event = { Records: [sqsRecord('a')] };
  expect((await handler(event, lambdaContext())).batchItemFailures).toHaveLength(1);
  expect((await handler(event, lambdaContext())).batchItemFailures).toHaveLength(0);
  expect(runs).toBe(2);
});

it('E3: a short outage of the writes of a large result does not lose it', async () => {
  const value = randomBytes(300_000);
  world.aws().next('PutItem', (apply) => apply(), fails, fails, fails, fails);
  expect([await once(() => value), await once(() => 'never')]).toEqual([value, value]);
});

it('E4: a commit in doubt does not let another one pass for it', async () => {
  world.aws().next(
    'TransactWriteItems',
    async (apply) => {
      await apply();
      throw new Error('timed out');
    },
    refuses('AccessDeniedException'),
  );
  const paid = once(async ({ commit }) => {
    await commit('by card', []).catch(() => commit('by invoice', []));
    return 'by invoice';
  });
  expect(await seen(paid)).toMatch('MISUSE');
  expect(await once(() => 'never')).toBe('by card');
});

it('E5: steps with large values do not fill the record: none repeats', async () => {
  let effects = 0;
  const values = Array.from({ length: 60 }, () => randomBytes(7_900));
  const run = () =>
    once(async ({ step, attempt }) => {
      for (const [index, value] of values.entries()) {
        await step(`${index}`, () => {
          effects++;
          return value;
        });
      }
      if (attempt === 1) throw new Error('passing');
      return 'done';
    });
  await seen(run());
  expect([await run(), effects]).toEqual(['done', 60]);
});

it('E6: a step does not begin when the event loop was blocked until the lease was over', async () => {
  let charges = 0;
  const run = once(async ({ step }) => {
    world.wait(LEASE_MS);
    await step('charge', () => ++charges);
  });
  expect([await seen(run), charges]).toEqual(['LEASE_LOST', 0]);
});

it('E7: an environment that says less than the context does not let two runs overlap', async () => {
  process.env['IDEMPOTENCY_FUNCTION_TIMEOUT'] = '300ms';
  try {
    const { handler, begin, runs } = stoppable<string>();
    const options = { store: world.store(), scope: 'orders', key: () => 'k', clockSkew: 0 };
    const call = idempotent(async () => handler(), options);
    const first = await begin(() => call({}, lambdaContext()));
    for (let ms = 0; ms < 600; ms += 100) {
      world.wait(100);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await seen(call({}, lambdaContext()))).toBe('CONFLICT');
    first.resolve('done');
    expect([await first.answer, runs()]).toEqual(['done', 1]);
  } finally {
    delete process.env['IDEMPOTENCY_FUNCTION_TIMEOUT'];
  }
});

it('E8: a claim that was given up does not land later and hold the key', async () => {
  const late = Promise.withResolvers<() => Promise<unknown>>();
  world.aws().next('PutItem', async (apply) => {
    late.resolve(apply);
    return neverAnswers(async () => {});
  });
  expect(await seen(once(() => 'never', { lease: '600ms' }))).toBe('STORE_UNAVAILABLE');
  await (await late.promise)().catch(() => {});
  expect(await once(() => 'ran')).toBe('ran');
});

it('E9: a waiter whose claims are throttled backs off, and gets the outcome', async () => {
  const { handler, begin } = stoppable<string>();
  const first = await begin(() => once(handler));
  const waiter = once(() => 'never', { onConflict: 'wait' });
  await expect.poll(() => world.aws().requests()).toBeGreaterThanOrEqual(2);
  world.aws().next('PutItem', refuses('ThrottlingException'), refuses('ThrottlingException'));
  first.resolve('done');
  expect([await first.answer, await waiter]).toEqual(['done', 'done']);
  expect(world.aws().requests()).toBeLessThan(12);
});

it('E10: a request that was refused before anything was done may come again, mended, with its key', async () => {
  const invalid = ({ forget }: Execution) => {
    forget();
    return 'invalid';
  };
  expect(await once(invalid)).toBe('invalid');
  expect(await once(() => 'done', { payload: 2 })).toBe('done');
});
