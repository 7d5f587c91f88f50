import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, expect, it } from 'vitest';
import { identityOf, recordId } from '../../src/core/identity.ts';
import type { IdempotencyRecord } from '../../src/core/record.ts';
import { toItem } from '../../src/stores/dynamodb/item.ts';
import { itemBytes } from '../../src/stores/dynamodb/size.ts';
import { engineClient } from '../engine.ts';
import { newTable, on } from './world.ts';

const COUNT = 100_000;
const STUCK = 37;
const client = engineClient();

/** As an HTTP API leaves it: a response of some 150 bytes, of a caller with a JWT. */
function recordOf(n: number): IdempotencyRecord {
  const [key, principal] = [`order-${n}`, `["jwt","https://issuer.example/","user-${n % 1_000}"]`];
  const id = recordId('orders', ['POST', '/orders'], principal, key);
  const now = Date.now();
  const common = {
    ...{ id, identity: identityOf(id, { key, operation: 'POST /orders', principal }), source: 'http' },
    ...{ version: 2, attempt: 1, owner: crypto.randomUUID(), fingerprint: `2:${'f'.repeat(43)}` },
    ...{ claimedAt: now - n, expiresAt: Math.ceil(now / 1_000) + 86_400 },
  };
  if (n < STUCK) return { ...common, status: 'IN_PROGRESS', leaseUntil: now - 1, steps: {} };
  const body = JSON.stringify({
    statusCode: 201,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orderId: key, chargeId: `ch_${n}` }),
  });
  return { ...common, status: 'COMPLETED', completedAt: now, outcome: { kind: 'value', body } };
}

let table: string;
let bytes = 0;
beforeAll(async () => {
  table = await newTable();
  const write = async (from: number): Promise<void> => {
    const items = Array.from({ length: 25 }, (_, n) => toItem(recordOf(from + n)));
    for (const item of items) bytes += itemBytes(item);
    const requests = items.map((Item) => ({ PutRequest: { Item: Item as any } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
  };
  for (let from = 0; from < COUNT; from += 8 * 25)
    await Promise.all(Array.from({ length: 8 }, (_, n) => write(from + n * 25)));
}, 600_000);

it('of 100,000 records those that are stuck are found, and it is said what that took', async () => {
  const startedAt = Date.now();
  const { code, out, err } = await on(table)('stuck', '--json', '--units', '1000000');
  const seconds = (Date.now() - startedAt) / 1_000;
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(STUCK);
  const [, units = '0'] = /100,000 items looked at, ([\d.]+) read units/.exec(err) ?? [];
  // An eventually consistent unit reads 8 KB; each page is rounded up.
  expect(Number(units)).toBeGreaterThanOrEqual(bytes / 8_192);
  expect(Number(units)).toBeLessThan((bytes / 8_192) * 1.1);
  console.log(
    `A scan of ${COUNT.toLocaleString('en')} records, ${(bytes / 1e6).toFixed(1)} MB: ${units} read units, ${seconds.toFixed(1)} s on the embedded engine; ${Math.ceil(Number(units) / 200)} s at 200 units a second.`,
  );
}, 300_000);

it('of 100,000 records a list ends at its limit, and looks at few', async () => {
  const { code, out, err } = await on(table)('list', '--json', '--limit', '5');
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(5);
  expect(err).toMatch(/go on with --from \S+/);
  const [, scanned = ''] = /([\d,]+) items looked at/.exec(err) ?? [];
  expect(Number(scanned.replace(',', ''))).toBeLessThan(5_000);
}, 60_000);
