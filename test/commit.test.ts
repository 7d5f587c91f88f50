import { randomBytes } from 'node:crypto';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import { dynamoDBStore, type Execution, memoryStore, runOnce, subscribe, type TransactWrite } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { beforeEach, describe, expect, it } from 'vitest';
import { engineClient } from './engine.ts';
import { httpEvent } from './events.ts';
import { type Fault, isDown, losesAnswer, neverAnswers, refuses } from './faults.ts';
import { openOrders } from './orders.ts';
import { lambdaContext, type Request, refused, type Seen, WAYS, type WayOptions } from './ways.ts';
import { LEASE_MS, worldOfTests } from './world.ts';

const client = engineClient();
const { tableName: orders, put, count, chargesOf } = await openOrders();
const documents = DynamoDBDocumentClient.from(client);

const world = worldOfTests('one table');

describe.each(WAYS)('commit in $name', ({ build, name, saw }) => {
  let orderId: string;
  let request: Request;
  beforeEach(() => {
    orderId = crypto.randomUUID();
    request = { key: orderId, payload: 1 };
  });

  const way = (handler: (execution: Execution) => unknown, options: Partial<WayOptions> = {}) =>
    build(handler, { store: world.store(), ...options });
  const next = (...faults: Fault[]) => world.aws().next('TransactWriteItems', ...faults);

  it("writes the outcome and the user's items together, once: 2 requests", async () => {
    const call = way(({ commit }) => commit({ id: 7 }, [count(orderId)]));
    expect(await call(request)).toEqual(saw({ id: 7 }));
    expect(world.aws().requests()).toBe(2);
    expect(await call(request)).toEqual(saw({ id: 7 }));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('is final: what the handler returns or throws afterwards changes nothing', async () => {
    const returning = way(async ({ commit }) => {
      await commit('committed', [count(orderId)]);
      return 'other';
    });
    expect([await returning(request), await returning(request)]).toEqual([saw('committed'), saw('committed')]);
    const throwing = way(async ({ commit }) => {
      await commit('committed', [count(orderId)]);
      throw new Error('too late');
    });
    const other = { ...request, key: crypto.randomUUID() };
    expect([await throwing(other), await throwing(other)]).toEqual([saw('committed'), saw('committed')]);
    expect(await chargesOf(orderId)).toBe(2);
  });

  it('is final also where the value is not one that is recorded', async () => {
    const call = way(({ commit }) => commit(1, [count(orderId)]), { isOutcome: () => false });
    expect([await call(request), await call(request)]).toEqual([saw(1), saw(1)]);
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('surfaces a condition of a write that fails, with nothing written and the key still held', async () => {
    await way(({ commit }) => commit(1, [put(orderId)]))({ ...request, key: `${orderId}-first` });
    const other = `${orderId}-other`;
    let inside: Seen | undefined;
    const call = way(async ({ commit, attempt }) => {
      if (attempt > 1) return 'again';
      return commit('never', [put(orderId), count(other)]).catch(async (error) => {
        inside = await call(request);
        throw error;
      });
    });
    const { error } = (await call(request)) as { error: any };
    expect(error.name).toBe('TransactionCanceledException');
    const codes = error.CancellationReasons.map(({ Code }: { Code: string }) => Code);
    expect(codes).toEqual(['None', 'ConditionalCheckFailed', 'None']);
    expect(await chargesOf(other)).toBeUndefined();
    expect(inside).toEqual(refused('CONFLICT'));
    expect(await call(request)).toEqual(saw('again'));
  });

  it('may be tried again in the same run with other writes, as long as none has landed', async () => {
    const call = way(async ({ commit }) => {
      const never: TransactWrite = {
        ConditionCheck: { TableName: orders, Key: { orderId }, ConditionExpression: 'attribute_exists(orderId)' },
      };
      await expect(commit('first', [never])).rejects.toThrow('Transaction');
      await commit('second', [count(orderId)]);
      await expect(commit('third', [count(orderId)])).rejects.toMatchObject({ code: 'MISUSE' });
    });
    expect(await call(request)).toEqual(saw('second'));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('ends before the run does, though the handler did not wait for it', async () => {
    const slow: Fault = async (apply) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return apply();
    };
    next(slow);
    const racing = way(async ({ commit }) => {
      commit('committed', [count(orderId)]);
      await new Promise((resolve) => setTimeout(resolve, 10));
      return 'timed out';
    });
    expect(await racing(request)).toEqual(saw('committed'));
    expect(await chargesOf(orderId)).toBe(1);
    next(slow);
    const other = { ...request, key: crypto.randomUUID() };
    const failing = way(async ({ commit }) => {
      commit('committed', [count(orderId)]);
      throw new Error('meanwhile');
    });
    expect([await failing(other), await failing(other)]).toEqual([saw('committed'), saw('committed')]);
    expect(await chargesOf(orderId)).toBe(2);
  });

  it('is refused after the run has ended', async () => {
    let late: Execution | undefined;
    await way((execution) => {
      late = execution;
    })(request);
    await expect(late?.commit(1, [])).rejects.toMatchObject({ code: 'MISUSE' });
  });

  it('answers with a copy: what the handler does to the value changes nothing', async () => {
    const call = way(async ({ commit }) => {
      const value = { tags: ['a'] };
      await commit(value, []);
      value.tags.push('b');
      return value;
    });
    expect([await call(request), await call(request)]).toEqual([saw({ tags: ['a'] }), saw({ tags: ['a'] })]);
  });

  it("that cannot be sent is the user's error, and leaves nothing in doubt", async () => {
    const unsendable: TransactWrite = { Put: { TableName: orders, Item: { orderId, at: new Date() } } };
    const call = way(({ commit }) => commit(1, [unsendable]));
    expect(await call(request)).toMatchObject({ error: { message: expect.stringContaining('Unsupported type') } });
    expect(await way(() => 'again')(request)).toEqual(saw('again'));
  });

  it('in doubt keeps the key also behind a terminal error', async () => {
    next(...isDown);
    const call = way(({ commit }) => commit(1, [count(orderId)]), { isTerminal: () => true });
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(await call(request)).toEqual(refused('CONFLICT'));
  });

  it('that landed is done, also where its value cannot be read again: its caller gets it', async () => {
    const codec = { name: 'blind', encode: () => Uint8Array.of(1), decode: () => JSON.parse('{') };
    const call = way(({ commit }) => commit('once', [count(orderId)]), { codec });
    expect(await call(request)).toEqual(saw('once'));
    const duplicate = name === 'idempotentBatch' ? { done: true } : refused('RESULT_UNAVAILABLE');
    expect(await call(request)).toEqual(duplicate);
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('of a run that was taken over writes nothing: it adopts the winner', async () => {
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const call = way(async ({ commit, attempt }) => {
      if (attempt === 1) {
        entered.resolve();
        await gate.promise;
      }
      await commit(`run ${attempt}`, [count(orderId)]);
    });
    const stale = call(request);
    await entered.promise;
    world.wait(LEASE_MS);
    expect(await call(request)).toEqual(saw('run 2'));
    gate.resolve();
    expect(await stale).toEqual(saw('run 2'));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('recognises itself when the answer was lost and the SDK sent it again', async () => {
    next(losesAnswer, losesAnswer);
    const call = way(({ commit }) => commit('once', [count(orderId)]));
    expect(await call(request)).toEqual(saw('once'));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('goes again when it meets another transaction, but not after the record says no', async () => {
    next(async () => {
      const reasons = [{ Code: 'None' }, { Code: 'TransactionConflict' }];
      throw Object.assign(new Error('cancelled'), {
        name: 'TransactionCanceledException',
        CancellationReasons: reasons,
      });
    });
    const call = way(({ commit }) => commit('once', [count(orderId)]));
    expect(await call(request)).toEqual(saw('once'));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('does not go again when the record has said no, whatever else the transaction met', async () => {
    next(async () => {
      const reasons = [{ Code: 'ConditionalCheckFailed' }, { Code: 'TransactionConflict' }];
      throw Object.assign(new Error('cancelled'), {
        name: 'TransactionCanceledException',
        CancellationReasons: reasons,
      });
    });
    const call = way(async ({ commit }) => {
      await expect(commit('never', [count(orderId)])).rejects.toMatchObject({ code: 'LEASE_LOST' });
      throw new Error('lost');
    });
    expect(await call(request)).toMatchObject({ error: { message: 'lost' } });
    expect(await chargesOf(orderId)).toBeUndefined();
  });

  it('whose fate is not sure keeps the key, whatever the handler does then; what landed is found', async () => {
    next(async (apply) => {
      await apply();
      throw Object.assign(new Error('gone'), { name: 'SomethingElse', $metadata: {} });
    }, refuses('AccessDeniedException'));
    const call = way(async ({ commit }) => {
      await commit('landed', [count(orderId)]).catch(() => {});
      return 'hidden';
    });
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(await call(request)).toEqual(saw('landed'));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('that never landed leaves the key to the lease', async () => {
    next(...isDown);
    const call = way(({ commit, attempt }) => commit(`run ${attempt}`, [count(orderId)]));
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(await call(request)).toEqual(refused('CONFLICT'));
    world.wait(LEASE_MS);
    expect(await call(request)).toEqual(saw('run 2'));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('in doubt waits for the steps beside it: what they have done is on record', async () => {
    next(...isDown);
    let charges = 0;
    const call = way(async ({ step, commit, attempt }) => {
      const charge = Promise.withResolvers<void>();
      const charged = step('charge', async () => {
        if (attempt === 1) await charge.promise;
        return ++charges;
      });
      if (attempt > 1) return charged;
      return commit(1, [count(orderId)]).finally(() => setTimeout(charge.resolve, 50));
    });
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(charges).toBe(1);
    world.wait(LEASE_MS);
    expect(await call(request)).toEqual(saw(1));
    expect(charges).toBe(1);
  });

  it('is refused when the lease is over by the clock, whatever the timers have missed', async () => {
    const call = way(async ({ commit, signal }) => {
      world.wait(LEASE_MS);
      await expect(commit(1, [count(orderId)])).rejects.toMatchObject({ code: 'LEASE_LOST' });
      expect(signal.aborted).toBe(true);
      throw new Error('late');
    });
    expect(await call(request)).toMatchObject({ error: { message: 'late' } });
    expect(await chargesOf(orderId)).toBeUndefined();
  });

  it('goes on beside a step: the step is done, though its record is over', async () => {
    const call = way(async ({ step, commit }) => {
      const committed = Promise.withResolvers<void>();
      const charge = step('charge', () => committed.promise);
      await commit('committed', [count(orderId)]);
      committed.resolve();
      await charge;
    });
    expect(await call(request)).toEqual(saw('committed'));
  });

  it('whose answer never comes is not waited for without end', async () => {
    next(neverAnswers, neverAnswers);
    const call = way(({ commit }) => commit('landed', [count(orderId)]), { timeoutMs: 900 });
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(await call(request)).toEqual(saw('landed'));
  });

  const arn = () => `arn:aws:dynamodb:eu-central-1:123456789012:table/${world.tableName()}`;
  it.each<[string, () => unknown]>([
    ['no array', () => undefined],
    ['more than 99', () => Array.from({ length: 100 }, (_, index) => put(`${index}`))],
    ['an unknown action', () => [{ Get: { TableName: 't', Key: {} } }]],
    ['two actions in one', () => [{ ...put('a'), Delete: { TableName: 't', Key: {} } }]],
    ['nothing at all', () => [null]],
    ['the idempotency table', () => [{ Delete: { TableName: world.tableName(), Key: { id: 'any' } } }]],
    ['the idempotency table, by its ARN', () => [{ Put: { TableName: arn(), Item: { id: 'any' } } }]],
    ['more than 4 MB', () => [{ Put: { TableName: 't', Item: { orderId: 'a', text: 'x'.repeat(4_200_000) } } }]],
  ])('refuses %s before anything is sent', async (_, writes) => {
    const call = way(({ commit }) => commit(1, writes() as TransactWrite[]));
    expect(await call(request)).toEqual(refused('MISUSE'));
    expect(world.aws().requests()).toBe(2); // claim, release
  });

  it('refuses them before a part of a large value is sent, and what cannot be written as text', async () => {
    const large = way(({ commit }) => commit(randomBytes(50_000), [null as never]));
    expect(await large(request)).toEqual(refused('MISUSE'));
    expect(world.aws().requests()).toBe(2); // claim, release
    const cycle: { orderId: string; self?: object } = { orderId };
    cycle.self = cycle;
    const circular = way(({ commit }) => commit(1, [{ Put: { TableName: orders, Item: cycle } }]));
    expect(await circular(request)).toEqual({ error: expect.any(TypeError) });
    expect(world.aws().requests()).toBe(5); // the claim of a released key, release
    expect(await way(() => 'free')(request)).toEqual(saw('free'));
  });

  it('is final also where the handler returns what cannot be read', async () => {
    const unsubscribe = subscribe(() => {});
    const call = way(async ({ commit }) => {
      await commit('committed', [count(orderId)]);
      return {
        get unreadable(): never {
          throw new Error('no');
        },
      };
    });
    expect(await call(request)).toEqual(saw('committed'));
    unsubscribe();
  });

  it('is no business of a run without a key, nor of a store without transactions', async () => {
    expect(await way(({ commit }) => commit(1, []), { onMissingKey: 'run' })({})).toEqual(refused('MISUSE'));
    expect(await way(({ commit }) => commit(1, []), { store: memoryStore() })(request)).toEqual(refused('MISUSE'));
  });
});

it('takes a document client as it is', async () => {
  const store = dynamoDBStore({ client: documents, tableName: world.tableName() });
  const orderId = crypto.randomUUID();
  const run = () =>
    runOnce({ store, scope: 's', key: orderId, lease: '5s' }, ({ commit }) => commit('done', [count(orderId)]));
  await run();
  expect(await chargesOf(orderId)).toBe(1);
});

it('is what a caller gets, whatever other middlewares make of it', async () => {
  const handler = middy()
    .use(idempotency({ store: dynamoDBStore({ client, tableName: world.tableName() }), scope: 'middy' }))
    .after((request) => {
      request.response = { statusCode: 500 };
    })
    .handler(async (_, context: any) => {
      await context.idempotency.commit({ statusCode: 201, body: 'committed' }, []);
      return { statusCode: 200 };
    });
  const event = httpEvent({ key: crypto.randomUUID() });
  const first = await handler(event, lambdaContext());
  expect(first).toEqual({ statusCode: 201, body: 'committed' });
  expect(await handler(event, lambdaContext())).toEqual({ ...first, headers: { 'Idempotent-Replayed': 'true' } });
});
