import { dynamoDBStore, type Execution, idempotent, memoryStore, type TransactWrite } from 'effectively-once';
import { resolve } from 'effectively-once/operator';
import { beforeEach, describe, expect, it } from 'vitest';
import { engineClient } from './engine.ts';
import { httpEvent } from './events.ts';
import { isDown, losesAnswer } from './faults.ts';
import { openOrders } from './orders.ts';
import { lambdaContext, type Request, refused, WAYS, type WayOptions } from './ways.ts';
import { LEASE_MS, worldOfTests } from './world.ts';

const client = engineClient();
const { tableName: orders, count, chargesOf } = await openOrders();

const world = worldOfTests('one table');

describe.each(WAYS)("mode: 'atomic' in $name", ({ build, saw }) => {
  let orderId: string;
  let request: Request;
  beforeEach(() => {
    orderId = crypto.randomUUID();
    request = { key: orderId, payload: 1 };
  });

  const claiming = (handler: (execution: Execution) => unknown, options: Partial<WayOptions> = {}) =>
    build(handler, { store: world.store(), ...options });
  const atomic = (handler: (execution: Execution) => unknown, options: Partial<WayOptions> = {}) =>
    claiming(handler, { mode: 'atomic', ...options });
  const committing = (value: unknown, options: Partial<WayOptions> = {}) =>
    atomic(({ commit }) => commit(value, [count(orderId)]), options);

  it('takes one round trip for a first run, and one for a duplicate', async () => {
    expect(await committing('first')(request)).toEqual(saw('first'));
    expect(world.aws().requests()).toBe(1);
    expect(await committing('second')(request)).toEqual(saw('first'));
    expect(world.aws().requests()).toBe(2);
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('lets one of many concurrent runs commit; all answer with its value', async () => {
    let runs = 0;
    const call = atomic(({ commit }) => commit(++runs, [count(orderId)]));
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(request)));
    expect(runs).toBe(10);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('is final: what the handler returns or throws afterwards changes nothing', async () => {
    const call = atomic(async ({ commit, attempt }) => {
      await commit('committed', [count(orderId)]);
      if (attempt === 1) throw new Error('too late');
    });
    expect([await call(request), await call(request)]).toEqual([saw('committed'), saw('committed')]);
  });

  it('refuses another payload, whatever the handler makes of the refusal', async () => {
    await committing(1)(request);
    const call = atomic(async ({ commit }) => {
      await commit(2, [count(orderId)]).catch(() => {});
      return 'hidden';
    });
    expect(await call({ ...request, payload: 2 })).toEqual(refused('MISMATCH'));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('begins anew where the outcome has expired', async () => {
    await committing('old', { retention: '1h' })(request);
    world.wait(2 * 3_600_000);
    expect(await committing('new')({ ...request, payload: 'another' })).toEqual(saw('new'));
    expect(await chargesOf(orderId)).toBe(2);
  });

  it('is refused while a claim is live, and goes on behind one that failed or was abandoned', async () => {
    const entered = Promise.withResolvers<void>();
    claiming(() => {
      entered.resolve();
      return new Promise(() => {});
    })(request);
    await entered.promise;
    expect(await committing('atomic')(request)).toEqual(refused('CONFLICT'));
    world.wait(LEASE_MS);
    expect(await committing('atomic')(request)).toEqual(saw('atomic'));
    const failed = { ...request, key: crypto.randomUUID() };
    await claiming(() => Promise.reject(new Error('no')))(failed);
    expect(await committing('atomic')(failed)).toEqual(saw('atomic'));
    expect(await claiming(() => 'claimed')(failed)).toEqual(saw('atomic'));
  });

  it("is refused on an unknown outcome, with onUnknown: 'refuse' or a function", async () => {
    const onUnknown = 'refuse';
    const entered = Promise.withResolvers<void>();
    claiming(
      () => {
        entered.resolve();
        return new Promise(() => {});
      },
      { onUnknown },
    )(request);
    await entered.promise;
    world.wait(LEASE_MS);
    expect(await committing(1, { onUnknown })(request)).toEqual(refused('OUTCOME_UNKNOWN'));
    const { error } = (await committing(1, { onUnknown: () => ({ rerun: true }) })(request)) as { error: any };
    expect(error.code).toBe('OUTCOME_UNKNOWN');
    await resolve(dynamoDBStore({ client, tableName: world.tableName() }), error.id, { rerun: true });
    expect(await committing(1, { onUnknown })(request)).toEqual(saw(1));
  });

  it("surfaces a condition of a write that fails as the user's error, and may commit something else", async () => {
    const never: TransactWrite = {
      ConditionCheck: { TableName: orders, Key: { orderId }, ConditionExpression: 'attribute_exists(orderId)' },
    };
    expect(await atomic(({ commit }) => commit(1, [never]))(request)).toMatchObject({
      error: { name: 'TransactionCanceledException' },
    });
    const call = atomic(async ({ commit }) => {
      await commit('first', [never]).catch(() => {});
      await commit('second', [count(orderId)]);
    });
    expect(await call(request)).toEqual(saw('second'));
  });

  it('recognises itself when the answer was lost and the SDK sent it again', async () => {
    world.aws().next('TransactWriteItems', losesAnswer);
    expect(await committing('once')(request)).toEqual(saw('once'));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('may be tried again by its caller when nobody knows whether it has landed', async () => {
    world.aws().next('TransactWriteItems', ...isDown);
    const call = atomic(async ({ commit }) => {
      await commit('once', [count(orderId)]).catch(() => {});
    });
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(await call(request)).toEqual(saw('once'));
  });

  it('ends before the run does, and answers with a copy', async () => {
    const call = atomic(async ({ commit }) => {
      const value = { tags: ['a'] };
      commit(value, [count(orderId)]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      value.tags.push('b');
      return 'other';
    });
    expect(await call(request)).toEqual(saw({ tags: ['a'] }));
    const failing = atomic(async ({ commit }) => {
      commit('never', [count(orderId)]);
      throw new Error('meanwhile');
    });
    expect(await failing(request)).toEqual(saw({ tags: ['a'] }));
    expect(await chargesOf(orderId)).toBe(1);
  });

  it('needs a commit, and just one', async () => {
    expect(await atomic(() => 'value')(request)).toEqual(refused('MISUSE'));
    const twice = atomic(async ({ commit }) => {
      await commit(1, []);
      await expect(commit(2, [])).rejects.toMatchObject({ code: 'MISUSE' });
    });
    expect(await twice(request)).toEqual(saw(1));
  });

  it('has no steps, but derived keys; its errors release nothing, as nothing is held', async () => {
    const keys: string[] = [];
    const call = atomic(async ({ step, keyFor }) => {
      keys.push(keyFor('a'));
      await expect(step('a', () => 1)).rejects.toMatchObject({ code: 'MISUSE' });
      throw new Error('no');
    });
    expect(await call(request)).toMatchObject({ error: { message: 'no' } });
    await call(request);
    expect(keys[0]).toBe(keys[1]);
    expect(world.aws().requests()).toBe(0);
  });

  it('is no business of a store without transactions', async () => {
    expect(await committing(1, { store: memoryStore() })(request)).toEqual(refused('MISUSE'));
  });
});

it('answers a refusal over HTTP as one of the request, and a replay as a replay', async () => {
  const store = dynamoDBStore({ client, tableName: world.tableName() });
  const handler = idempotent<ReturnType<typeof httpEvent>, unknown>(
    async (event, { idempotency }) => idempotency.commit({ statusCode: 201, body: event.body }, []),
    { store, scope: 'http', mode: 'atomic' },
  );
  const key = crypto.randomUUID();
  const first = await handler(httpEvent({ key, body: 1 }), lambdaContext());
  expect(first).toEqual({ statusCode: 201, body: '1' });
  expect(await handler(httpEvent({ key, body: 1 }), lambdaContext())).toEqual({
    statusCode: 201,
    body: '1',
    headers: { 'Idempotent-Replayed': 'true' },
  });
  expect(await handler(httpEvent({ key, body: 2 }), lambdaContext())).toMatchObject({ statusCode: 422 });
});
