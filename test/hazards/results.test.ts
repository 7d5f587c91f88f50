import { randomBytes } from 'node:crypto';
import { IdempotencyError, type IdempotencyErrorCode, idempotent, runOnce, subscribe } from 'effectively-once';
import { expect, it } from 'vitest';
import { isDown } from '../faults.ts';
import { lambdaContext } from '../ways.ts';
import { seen, worldOfTests } from './world.ts';

const world = worldOfTests();

/** An operation that counts its effects. */
const operation = (effect: () => unknown, store = world.store()) => {
  let effects = 0;
  const call = idempotent(
    async (_: { key: string }) => {
      effects++;
      return effect();
    },
    { store, scope: 'charge', key: ({ key }) => key },
  );
  return { effects: () => effects, call: (key = '1') => call({ key }, lambdaContext()) };
};

const EPOCH = new Date(0); // before the clock is faked, which puts a subclass in the place of Date

class Receipt {
  readonly total = 5;
}

it('A20: a result that cannot be kept, or whose completion fails, is no error and has no second effect', async () => {
  const kept = [{ note: undefined }, { at: EPOCH }, { n: 2 ** 53 }, { n: 1n }, { body: randomBytes(500_000) }];
  for (const value of kept) {
    const { call, effects } = operation(() => value);
    const key = crypto.randomUUID();
    expect([await call(key), await call(key), effects()]).toStrictEqual([value, value, 1]);
  }
  for (const value of [new Receipt(), { print: () => {} }, 'x'.repeat(8 * 1024 * 1024)]) {
    const { call, effects } = operation(() => value);
    const key = crypto.randomUUID();
    expect([await call(key), await seen(call(key)), effects()]).toStrictEqual([value, 'RESULT_UNAVAILABLE', 1]);
  }
  const { call, effects } = operation(() => 'charged');
  world.aws().next('UpdateItem', ...isDown);
  expect([await call(), await seen(call()), effects()]).toEqual(['charged', 'CONFLICT', 1]);
});

it('A21: a replay is of the same kind as the first result, and a copy of its own', async () => {
  const warm = operation(() => ({ bytes: Buffer.from('abc'), tags: ['a'] }), world.store({ cache: undefined }));
  for (let time = 0; time < 3; time++) {
    const result = (await warm.call()) as { bytes: Buffer; tags: string[] };
    expect(result).toStrictEqual({ bytes: Buffer.from('abc'), tags: ['a'] });
    expect(Buffer.isBuffer(result.bytes)).toBe(true);
    result.bytes.fill(0);
    result.tags.push('b');
  }
  expect(warm.effects()).toBe(1);
});

it('A22: a warm function knows a record by the id that the table and every report have', async () => {
  const reported = new Set<string>();
  const unsubscribe = subscribe((event) => 'id' in event && event.id !== undefined && reported.add(event.id));
  const store = world.store({ cache: undefined });
  await operation(() => 'charged').call(); // elsewhere
  const { call, effects } = operation(() => 'again', store);
  expect(await call()).toBe('charged');
  const cold = world.aws().requests();
  expect(await call()).toBe('charged');
  expect(world.aws().requests()).toBe(cold);
  unsubscribe();
  const records = await world.records();
  expect(Array.from(reported, (id) => ({ S: id }))).toEqual(records.map(({ id }) => id));
  expect(effects()).toBe(0);
});

it('A23: an error of the handler reaches its caller as it is, though the store fails at the release', async () => {
  for (const error of [Object.assign(new Error('declined'), { code: 'CARD_DECLINED' }), 'declined', null]) {
    world.aws().next('UpdateItem', ...isDown);
    const { call } = operation(() => Promise.reject(error));
    expect(await call(crypto.randomUUID()).catch((caught: unknown) => ({ caught }))).toEqual({ caught: error });
  }
});

it('A24: a handler runs once for a request, also when it throws an error that asks for a retry', async () => {
  const codes: IdempotencyErrorCode[] = ['CONFLICT', 'LEASE_LOST', 'STORE_UNAVAILABLE', 'RESULT_UNAVAILABLE'];
  for (const code of codes) {
    const { call, effects } = operation(() => Promise.reject(new IdempotencyError(code, 'of an inner operation')));
    expect([await seen(call(code)), effects()]).toEqual([code, 1]);
  }
  const inner = () => runOnce({ store: world.store(), scope: 'inner', key: '1', lease: '1s' }, () => 1);
  const { call, effects } = operation(() => {
    world.aws().next('PutItem', ...isDown);
    return inner();
  });
  expect([await seen(call()), effects()]).toEqual(['STORE_UNAVAILABLE', 1]);
});
