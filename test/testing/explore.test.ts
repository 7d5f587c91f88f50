import timers from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2, Context, EventBridgeEvent, SQSEvent } from 'aws-lambda';
import { idempotent, idempotentBatch, runOnce, TerminalError } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { explore, type Report } from 'effectively-once/testing';
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { SOURCES, STREAMS } from '../batches.ts';
import { httpEvent } from '../events.ts';
import { sqsRecord } from '../ways.ts';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string; amount: number }>;
const event = { 'detail-type': 'OrderPlaced', source: 'shop', detail: { orderId: 'o-1', amount: 5 } } as OrderPlaced;
const options = { scope: 'orders', key: ({ detail }: OrderPlaced) => detail.orderId };

/** A provider without keys, one with them, and one who has none to offer. */
const charge = async (orderId: string) => ({ chargeId: `charge of ${orderId}` });
const chargeOnce = { run: async (_: string, key: string) => ({ chargeId: key }), key: (_: string, key: string) => key };
const email = (_to: string) => {};

const { setTimeout: realSetTimeout } = timers;

const pointsOf = (findings: Report['doubles'], effect: string) =>
  findings.filter((finding) => finding.effect === effect).map(({ point }) => point);

describe('explore finds what is not safe to retry', () => {
  it('a naive handler, which charges outside a step and without a key', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(async ({ detail }: OrderPlaced) => effects.charge(detail.orderId), { store, ...options }),
      { event, effects: { charge } },
    );
    expect(report.isSafe).toBe(false);
    expect(pointsOf(report.doubles, 'charge')).toEqual(['crash after charge', 'crash before the completion']);
    expect(report.doubles[0]).toMatchObject({ effect: 'charge', args: "'o-1'", times: 2, expected: 1 });
    expect(report.text).toBe(
      [
        'Not safe to retry: explored 12 schedules.',
        '',
        "charge('o-1') happened twice instead of once: crash after charge",
        '    the event',
        '      the claim',
        "      charge('o-1')",
        '      ✗ crash after it',
        '    the same again, 31 s later',
        '      the claim meets a record',
        '      the takeover',
        "      charge('o-1')",
        '      the completion',
        "      answer: { chargeId: 'charge of o-1' }",
        '    a duplicate, 1 s later',
        '      the claim meets a record',
        "      answer: { chargeId: 'charge of o-1' }",
        '  also: crash before the completion',
      ].join('\n'),
    );
    expect(`${report}`).toBe(report.text);
    expect(report.assert).toThrow(report.text);
  });

  it('a step whose receiver knows no key', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          ({ detail }: OrderPlaced, { idempotency }) =>
            idempotency.step('charge', () => effects.charge(detail.orderId)),
          { store, ...options },
        ),
      { event, effects: { charge } },
    );
    expect(pointsOf(report.doubles, 'charge')).toEqual([
      'crash after charge',
      'crash before the record of step "charge"',
    ]);
  });

  it('an email outside a step, beside a charge that is safe', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          async ({ detail }: OrderPlaced, { idempotency }) => {
            await effects.email(detail.orderId);
            return idempotency.step('charge', ({ key }) => effects.charge(detail.orderId, key));
          },
          { store, ...options },
        ),
      { event, effects: { charge: chargeOnce, email } },
    );
    expect(pointsOf(report.doubles, 'charge')).toEqual([]);
    expect(pointsOf(report.doubles, 'email')).toContain('crash after charge');
  });

  it('a key that is another at each attempt', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(async ({ detail }: OrderPlaced) => effects.charge(detail.orderId, crypto.randomUUID()), {
          store,
          ...options,
        }),
      { event, effects: { charge: chargeOnce } },
    );
    expect(report.doubles[0]).toMatchObject({ effect: 'charge', times: 2, expected: 1, point: 'crash after charge' });
    expect(report.doubles[0]).not.toHaveProperty('args');
  });

  it('a handler that nothing protects: its duplicate does it all again', async () => {
    const report = await explore(
      ({ effects }) =>
        (_: OrderPlaced) =>
          effects.email('a'),
      {
        event,
        effects: { email },
      },
    );
    expect(report.doubles[0]).toMatchObject({ effect: 'email', point: 'without a fault' });
  });

  it('an effect that a retry takes for done', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          async ({ detail }: OrderPlaced, { idempotency }) => {
            if (idempotency.attempt === 1) await effects.charge(detail.orderId);
          },
          { store, ...options },
        ),
      { event, effects: { charge } },
    );
    expect(pointsOf(report.doubles, 'charge')).toEqual([]);
    expect(report.lost[0]).toMatchObject({ effect: 'charge', times: 0, expected: 1, point: 'crash after the claim' });
    expect(report.text).toContain('charge happened never instead of once: crash after the claim');
  });

  it('a retry that can never succeed', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          async ({ detail }: OrderPlaced) => {
            await effects.insertOrder(detail.orderId);
            return effects.charge(detail.orderId, detail.orderId);
          },
          { store, ...options },
        ),
      {
        event,
        effects: () => {
          const orders = new Set<string>();
          const insertOrder = (id: string) => {
            if (orders.has(id)) throw new Error(`there is an order ${id} already`);
            orders.add(id);
          };
          return { insertOrder, charge: chargeOnce };
        },
      },
    );
    expect(report.doubles).toEqual([]);
    expect(report.stuck.map(({ point }) => point)).toEqual([
      'crash after insertOrder',
      'crash before charge',
      'crash after charge',
      'crash before the completion',
    ]);
    expect(report.text).toContain('no delivery got an outcome: crash after insertOrder');
  });

  it('what takes two faults', async () => {
    const build = ({ store, effects }: any) =>
      idempotent(
        async (_: OrderPlaced, { idempotency }) => {
          if (idempotency.attempt > 1) await effects.email('we are sorry');
        },
        { store, ...options },
      );
    const effects = { email };
    await expect(explore(build, { event, effects })).rejects.toThrow('no effect happens');
    const noted = { ...effects, note: { run: () => {}, key: () => 'n' } };
    const alsoNotes =
      ({ store, effects }: any) =>
      async (event: OrderPlaced, context: any) => {
        await effects.note();
        return build({ store, effects })(event, context);
      };
    const once = await explore(alsoNotes, { event, effects: noted });
    const twice = await explore(alsoNotes, { event, effects: noted, faults: 2 });
    expect(once.doubles).toEqual([]);
    expect(pointsOf(twice.doubles, 'email')).toContain('crash after the claim, then crash after email');
    expect(twice.schedules).toBeGreaterThan(5 * once.schedules);
  });
});

describe('explore finds safe', () => {
  it('a step with a derived key', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          ({ detail }: OrderPlaced, { idempotency }) =>
            idempotency.step('charge', ({ key }) => effects.charge(detail.orderId, key)),
          { store, ...options },
        ),
      { event, effects: { charge: chargeOnce } },
    );
    expect(report.text).toBe('Safe to retry: explored 15 schedules.');
    expect(report).toMatchObject({ isSafe: true, doubles: [], lost: [], stuck: [] });
    report.assert();
  });

  it.each(['claim', 'atomic'] as const)("what is committed, in mode '%s'", async (mode) => {
    const report = await explore(
      ({ store }) =>
        idempotent(
          ({ detail }: OrderPlaced, { idempotency }) =>
            idempotency.commit(detail, [{ Put: { TableName: 'orders', Item: detail } }]),
          { store, mode, ...options },
        ),
      { event, effects: {} },
    );
    expect(report.text).toMatch(/^Safe to retry: explored (10|7) schedules\.$/);
  });

  it('writes of a commit that the table refuses, where the handler answers for it', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          async (_: OrderPlaced, { idempotency }) => {
            await effects.charge('o-1', idempotency.keyFor('charge'));
            await idempotency.commit('sold', []).catch((error) => {
              throw error.message === 'sold out' ? new TerminalError(error.message) : error;
            });
          },
          { store, ...options },
        ),
      {
        event,
        effects: { charge: chargeOnce },
        transact: () => {
          throw new Error('sold out');
        },
      },
    );
    report.assert();
  });

  it('an unknown outcome that is refused rather than run again', async () => {
    const build = (onUnknown: 'rerun' | 'refuse') =>
      explore(
        ({ store, effects }) =>
          middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
            .use(idempotency({ store, scope: 'orders', onUnknown }))
            .handler(async () => ({ statusCode: 201, body: (await effects.charge('o-1')).chargeId })),
        { event: httpEvent({ key: 'k', body: {} }), effects: { charge } },
      );
    expect((await build('rerun')).isSafe).toBe(false);
    expect((await build('refuse')).text).toBe('Safe to retry: explored 12 schedules.');
  });

  it('an unknown outcome that is thrown at its sender', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(({ detail }: OrderPlaced) => effects.charge(detail.orderId), {
          store,
          onUnknown: 'refuse',
          ...options,
        }),
      { event, effects: { charge } },
    );
    report.assert();
  });

  it('a handler that answers 503 at first: a client comes again', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          async (_: APIGatewayProxyEventV2, { idempotency }) => {
            if (idempotency.attempt === 1) return { statusCode: 503 };
            return { statusCode: 201, body: (await effects.charge('o-1', idempotency.keyFor('charge'))).chargeId };
          },
          { store, scope: 'orders' },
        ),
      { event: httpEvent({ key: 'k', body: {} }), effects: { charge: chargeOnce } },
    );
    report.assert();
  });

  it('a Middy handler with a step', async () => {
    const report = await explore(
      ({ store, effects }) =>
        middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
          .use(idempotency({ store, scope: 'orders' }))
          .handler(async (_, { idempotency }) => {
            const { chargeId } = await idempotency.step('charge', ({ key }) => effects.charge('o-1', key));
            return { statusCode: 201, body: chargeId };
          }),
      { event: httpEvent({ key: 'k', body: {} }), effects: { charge: chargeOnce } },
    );
    expect(report.text).toBe('Safe to retry: explored 15 schedules.');
  });

  it('a function of runOnce, that waits in between: no time passes but its own', async () => {
    const started = performance.now();
    const report = await explore(
      ({ store, effects }) =>
        (order: { id: string }) =>
          runOnce({ store, scope: 'charge', key: order.id, lease: '10s' }, async ({ step, remaining }) => {
            await sleep(20_000); // the lease is prolonged meanwhile
            await new Promise((resolve) => setTimeout(resolve, 5_000));
            expect(remaining()).toBeGreaterThan(0);
            return step('charge', ({ key }) => effects.charge(order.id, key));
          }),
      { event: { id: 'o-1' }, effects: { charge: chargeOnce } },
    );
    report.assert();
    expect(report.schedules).toBeGreaterThan(20);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('explore of a batch', () => {
  const batch = { Records: ['a', 'b'].map((body) => sqsRecord(body, { messageId: body })) };

  it('finds the record that is charged twice, also where another is missing meanwhile', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotentBatch(({ body }) => effects.charge(body), { store, scope: 'orders', concurrency: 1 }),
      { event: batch, effects: { charge } },
    );
    expect(report.doubles.map(({ args, point }) => [args, point])).toEqual([
      ["'a'", 'crash after charge'],
      ["'a'", 'crash before the completion'],
      ["'b'", 'crash after charge (2)'],
      ["'b'", 'crash before the completion (2)'],
    ]);
  });

  it('sends only those again that were reported as failed, and all after a crash', async () => {
    const sent = new Set<string>();
    const report = await explore(
      ({ store, effects }) => {
        const handler = idempotentBatch(
          ({ body }, { idempotency }) => effects.charge(body, idempotency.keyFor('charge')),
          { store, scope: 'orders' },
        );
        return (event: SQSEvent, context: Context) => {
          sent.add(event.Records.map(({ body }) => body).join());
          return handler(event, context);
        };
      },
      { event: batch, effects: { charge: chargeOnce } },
    );
    report.assert();
    expect(report.schedules).toBeGreaterThan(20);
    expect(sent).toEqual(new Set(['a,b', 'a', 'b']));
  });

  it.each(SOURCES)('sends again what Lambda does: $name', async (source) => {
    const sent = new Set<string>();
    const event = source.event([source.record({ at: 0, lane: 'a' }), source.record({ at: 1, lane: 'b' })]);
    vi.stubEnv('IDEMPOTENCY_PARTIAL_FAILURES', 'true');
    const report = await explore(
      ({ store, effects }) => {
        const handler = idempotentBatch<any>(
          (record, { idempotency }) => effects.charge(String(source.valueOf(record)), idempotency.keyFor('charge')),
          { store, scope: 'orders' },
        );
        return (event: any, context: Context) => {
          const records: unknown[] = event.Records ?? Object.values(event.records).flat();
          sent.add(records.map(source.valueOf).join());
          return handler(event, context);
        };
      },
      { event, effects: { charge: chargeOnce } },
    );
    vi.unstubAllEnvs();
    report.assert();
    expect(sent).toEqual(new Set(STREAMS.includes(source) ? ['0,1', '1'] : ['0,1', '0', '1']));
  });

  it('tells of what happens all the same, when another record brings the process down', async () => {
    const report = await explore(
      ({ store, effects }) => idempotentBatch(({ body }) => effects.charge(body), { store, scope: 'orders' }),
      { event: batch, effects: { charge } },
    );
    const { history = [] } = report.doubles.find(({ point }) => point === 'crash after charge') ?? {};
    expect(history.filter((line) => line.includes('charge('))).toEqual([
      "  charge('a')",
      "  charge('b'), of which nobody hears",
      "  charge('a')",
      "  charge('b')",
    ]);
  });
});

describe('explore', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const build = ({ store, effects }: any) =>
    idempotent(({ detail }: OrderPlaced) => effects.charge(detail.orderId), { store, ...options });

  it('says nothing of the faults that it makes, and leaves the time and the words of others alone', async () => {
    const warn = vi.spyOn(process, 'emitWarning');
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { Date: before, setTimeout: timer } = globalThis;
    const http = ({ store, effects }: any) =>
      idempotent(effects.charge, { store, scope: 's' }) as (event: unknown, context: unknown) => unknown;
    const batch = ({ store, effects }: any) => idempotentBatch(() => effects.charge(), { store, scope: 's' });
    const exploring = Promise.all([
      explore(build, { event, effects: { charge } }),
      explore(http, { event: httpEvent({ key: 'k', body: {} }), effects: { charge: () => 1 } }),
      explore(batch, { event: { Records: [sqsRecord('a')] }, effects: { charge: () => 1 } }),
    ]);
    expect(Math.abs(Date.now() - before.now())).toBeLessThan(100);
    console.error('record a is reported as failed:');
    await exploring;
    expect(globalThis).toMatchObject({ Date: before, setTimeout: timer });
    expect(warn).not.toHaveBeenCalled();
    expect(error.mock.calls).toEqual([['record a is reported as failed:']]);
  });

  it("lets the handler's own words through", async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const talks = ({ effects }: any) => {
      console.error('loaded');
      return () => effects.charge();
    };
    await explore(talks, { event, effects: { charge: () => 1 } });
    expect(error).toHaveBeenCalledWith('loaded');
  });

  it('may run side by side', async () => {
    const reports = await Promise.all([1, 2, 3].map(() => explore(build, { event, effects: { charge } })));
    expect(new Set(reports.map(({ text }) => text)).size).toBe(1);
  });

  it('hands each delivery a copy of the event', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          ({ detail }: OrderPlaced, { idempotency }) => {
            detail.amount *= 2;
            return effects.charge(`${detail.amount}`, idempotency.keyFor('charge'));
          },
          { store, ...options },
        ),
      { event, effects: { charge: chargeOnce } },
    );
    report.assert();
    expect(event.detail.amount).toBe(5);
  });

  it('finds nothing safe of which nothing can be seen', async () => {
    const failing = () => () => Promise.reject(new Error('no'));
    await expect(explore(failing, { event, effects: {} })).rejects.toMatchObject({
      code: 'MISUSE',
      message: expect.stringContaining('no outcome\n    the event\n      error: Error: no'),
      cause: new Error('no'),
    });
    const keyless = ({ store }: any) => idempotent(() => 1, { store, scope: 's' });
    await expect(explore(keyless, { event: {}, effects: {} })).rejects.toThrow('no outcome');
    await expect(explore(() => () => 1, { event, effects: { charge } })).rejects.toThrow('no effect happens');
  });

  it('lets timers of a process die with it', async () => {
    const late = vi.fn();
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          async (_: OrderPlaced, { idempotency }) => {
            setTimeout(late, 5_000, idempotency.attempt);
            await effects.charge('o-1', idempotency.keyFor('charge'));
            await sleep(1_000);
          },
          { store, ...options },
        ),
      { event, effects: { charge: chargeOnce } },
    );
    report.assert();
    // Where one went on after its answer, the duplicate found it thawed.
    expect(late.mock.calls.length).toBeLessThan(report.schedules);
  });

  it('lets no branch of a dead process go on', async () => {
    const report = await explore(
      ({ store, effects }) =>
        idempotent(
          (_: OrderPlaced, { idempotency }) => {
            const later = async () => {
              for (let turn = 0; turn < 20; turn++) await undefined;
              await effects.email('a');
            };
            return Promise.all([effects.charge('o-1', idempotency.keyFor('charge')), later()]);
          },
          { store, ...options },
        ),
      { event, effects: { charge: chargeOnce, email } },
    );
    expect(pointsOf(report.doubles, 'email')).toEqual(['crash after email', 'crash before the completion']);
  });

  it('moves the clock to timers that keep a process, and not while something else goes on', async () => {
    const passed: number[] = [];
    const waits = ({ effects }: any) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return async () => {
        const started = Date.now();
        setTimeout(() => {}, 1_000).unref();
        void sleep(2_000, undefined, { ref: false });
        realSetTimeout(resolve, 50);
        await promise;
        passed.push(Date.now() - started);
        await effects.email('a');
      };
    };
    await explore(waits, { event, effects: { email: { run: email, key: () => 'k' } } });
    expect(new Set(passed)).toEqual(new Set([0]));
  });

  it('leaves no timer behind, also of a crashed run behind Middy, which takes them from node:timers', async () => {
    const timersNow = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timersNow();
    const report = await explore(
      ({ store, effects }) =>
        middy<OrderPlaced, unknown>()
          .use(idempotency({ store, ...options }))
          .handler(({ detail }, { idempotency }) =>
            idempotency.step('charge', ({ key }) => effects.charge(detail.orderId, key)),
          ),
      { event, effects: { charge: chargeOnce } },
    );
    report.assert();
    expect(timersNow()).toBeLessThanOrEqual(before);
  });

  it('gives up on what waits for nothing', async () => {
    const hangs = () => () => new Promise(() => {});
    await expect(explore(hangs, { event, effects: {} })).rejects.toThrow('neither ends nor waits for a timer');
  });

  it('takes what goes on beyond the timeout for dead', async () => {
    const endless = () => () => new Promise((resolve) => setTimeout(resolve, 31_000));
    await expect(explore(endless, { event, effects: {} })).rejects.toThrow(/no outcome\n.*the event\n.*✗ timeout/);
  });

  it.each([
    ['an option it does not have', { event, effects: {}, fault: 1 }, /has no option `fault`/],
    ['an effect that is none', { event, effects: { charge: 1 } }, "'charge' must be a function, or { run, key }"],
    ['an effect without its key', { event, effects: { charge: { run: charge } } }, /must be a function, or/],
    ['an effect of that name', { event, effects: { commit: charge } }, /cannot be named 'commit'/],
    ['more faults', { event, effects: {}, faults: 4 }, /must be 1, 2 or 3/],
  ])('refuses %s', async (_, wrong, message) => {
    await expect(explore(build, wrong as any)).rejects.toThrow(message);
    await expect(explore(build, wrong as any)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('is typed: effects as they were given, awaited, and the event of the handler', () => {
    const effects = { charge, email };
    () =>
      explore(
        ({ store, effects }) => {
          expectTypeOf(effects.email).toEqualTypeOf<(to: string) => Promise<void>>();
          expectTypeOf(effects.charge).returns.resolves.toEqualTypeOf<{ chargeId: string }>();
          return idempotent(({ detail }: OrderPlaced) => effects.charge(detail.orderId), { store });
        },
        // @ts-expect-error another event
        { event: { detail: 5 }, effects },
      );
  });

  it('refuses the fake timers of a test runner', async () => {
    vi.useFakeTimers();
    await expect(explore(build, { event, effects: { charge } })).rejects.toMatchObject({ code: 'MISUSE' });
  });
});
