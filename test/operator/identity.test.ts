import middy from '@middy/core';
import { idempotent, idempotentBatch, runOnce } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { memoryStore } from 'effectively-once/testing';
import { describe, expect, it } from 'vitest';
import { claim } from '../../src/core/claim.ts';
import { identityOf, recordId } from '../../src/core/identity.ts';
import type { Claimed } from '../../src/core/record.ts';
import { toItem } from '../../src/stores/dynamodb/item.ts';
import { toRecord } from '../../src/stores/dynamodb/reader.ts';
import { itemBytes } from '../../src/stores/dynamodb/size.ts';
import { memoryStore as plain } from '../../src/stores/memory.ts';
import { httpEvent } from '../events.ts';
import { claimed } from '../stores/contract.ts';
import { lambdaContext } from '../ways.ts';

const UNIT = 1024;

/** A claim with the longest of everything that has a bound. */
async function longestClaim(scope: string, key: string, principal: string): Promise<Claimed> {
  const operation = ['POST', `/orders/${'x'.repeat(200)}`];
  const id = recordId(scope, operation, principal, key);
  const request = {
    id,
    identity: identityOf(id, { key, operation: operation.join(' '), principal }),
    source: 'dynamodb-stream',
    fingerprint: `2:${'f'.repeat(43)}`,
    owner: crypto.randomUUID(),
    leaseUntil: (now: number) => now + 900_000,
    retention: 30 * 86_400_000,
  };
  const claimed = await claim(plain(), request, Date.now);
  if (claimed.kind !== 'acquired') throw new Error('it was there');
  return { ...claimed.lease, version: 999_999, attempt: 999_999 };
}

describe('a claim costs one write unit, whatever it says in clear', () => {
  it.each([
    ['short', 'charge', 'order-1', 'alice'],
    ['a long key and caller', 'charge', 'k'.repeat(255), 'p'.repeat(2_000)],
    ['a key of four bytes each', 'charge', '😀'.repeat(127), '["jwt","https://issuer.example/","auth0|1"]'],
    ['a long scope', 's'.repeat(255), 'k'.repeat(255), 'p'.repeat(2_000)],
  ])('%s', async (_, scope, key, principal) => {
    const item = toItem(await longestClaim(scope, key, principal));
    expect(itemBytes(item)).toBeLessThanOrEqual(UNIT);
  });

  it('and uses most of it before it cuts', async () => {
    const item = toItem(await longestClaim('charge', 'k'.repeat(255), 'p'.repeat(2_000)));
    expect(itemBytes(item)).toBeGreaterThan(UNIT - 64);
  });
});

describe('the record of each door', () => {
  const event = httpEvent({ key: 'order-1', body: '{}' });
  const DOORS: Record<string, (options: any) => Promise<unknown>> = {
    idempotent: (options) => idempotent(async () => ({ statusCode: 201 }), options)(event as any, lambdaContext()),
    Middy: async (options) =>
      middy()
        .use(idempotency(options))
        .handler(async () => ({ statusCode: 201 }))(event as any, lambdaContext() as any),
    atomic: (options) =>
      idempotent(
        async (_: unknown, { idempotency }) => {
          await idempotency.commit({ statusCode: 201 }, []);
          return { statusCode: 201 };
        },
        { ...options, mode: 'atomic' },
      )(event as any, lambdaContext()),
  };

  it.each(Object.entries(DOORS))('%s says its key, operation and caller in clear', async (_, door) => {
    const store = memoryStore();
    await door({ store, scope: 'orders', principal: () => 'alice' });
    const [record] = store.records();
    expect(record?.identity).toEqual({ key: 'order-1', operation: 'POST /orders', principal: 'alice' });
  });

  it.each(Object.entries(DOORS))('%s says nothing of it with keepIdentity: false', async (_, door) => {
    const store = memoryStore();
    await door({ store, scope: 'orders', principal: () => 'alice', keepIdentity: false });
    expect(store.records()).toMatchObject([{ identity: undefined }]);
  });

  it('runOnce and idempotentBatch do, and do not', async () => {
    for (const keepIdentity of [true, false]) {
      const store = memoryStore();
      await runOnce({ store, scope: 'a', key: 'one', principal: 'alice', lease: '1s', keepIdentity }, () => {});
      const record = { messageId: 'two', body: '{}', eventSource: 'aws:sqs' } as any;
      const batch = idempotentBatch(async () => {}, { store, scope: 'b', keepIdentity });
      await batch({ Records: [record] }, lambdaContext());
      const kept = store.records().map(({ identity }) => identity);
      expect(kept).toEqual(
        keepIdentity ? [{ key: 'one', principal: 'alice' }, { key: 'two' }] : [undefined, undefined],
      );
    }
  });

  it('says it again after a takeover by a function that keeps it', async () => {
    const store = memoryStore();
    const fails = { store, scope: 'a', key: 'one', lease: '1s', keepIdentity: false } as const;
    await runOnce(fails, () => Promise.reject(new Error('no'))).catch(() => {});
    await runOnce({ ...fails, keepIdentity: true }, () => {});
    expect(store.records()).toMatchObject([{ attempt: 2, identity: { key: 'one' } }]);
  });
});

it.each([
  ['a text', { S: 'order-1' }],
  ['a key that is a number', { M: { key: { N: '1' } } }],
  ['an operation that is a map', { M: { operation: { M: {} } } }],
  ['a caller of bytes', { M: { principal: { B: Uint8Array.of(1) } } }],
  ['a cut that is a number', { M: { cut: { N: '1' } } }],
])('a record whose identity is damaged is read without it: %s', (_, identity) => {
  const { identity: gone, ...record } = claimed();
  expect(toRecord({ ...toItem(record), identity })).toStrictEqual(record);
});
