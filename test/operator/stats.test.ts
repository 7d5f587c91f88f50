import { randomBytes } from 'node:crypto';
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from 'effectively-once';
import { stats } from 'effectively-once/operator';
import { memoryStore } from 'effectively-once/testing';
import { expect, it } from 'vitest';
import { type Item, toItem } from '../../src/stores/dynamodb/item.ts';
import { itemBytes } from '../../src/stores/dynamodb/size.ts';
import { createTable, engineClient } from '../engine.ts';
import { claimed } from '../stores/contract.ts';
import { completed, failed } from './world.ts';

const HOUR = 3_600_000;

it('records are counted by scope, state and age, and weighed, and so is what is kept apart from them', async () => {
  const client = engineClient();
  const TableName = await createTable(client);
  const store = dynamoDBStore({ client, tableName: TableName });
  const now = Date.now();
  for (const [n, age] of [0, 0.9 * HOUR, 1.1 * HOUR, 25 * HOUR, 8 * 24 * HOUR].entries()) {
    const next = claimed({ id: `old#${n}`, claimedAt: now - age, leaseUntil: now - 1, expiresAt: 4_000_000_000 });
    await store.write({ kind: 'insert', next });
  }
  await completed(store, 'small', 1);
  await completed(store, 'large', randomBytes(500_000).toString('base64'));
  await failed(store, 'declined');
  await client.send(new PutItemCommand({ TableName, Item: { id: { S: 'theirs' } } }));
  const items = ((await client.send(new ScanCommand({ TableName }))).Items ?? []) as Item[];
  const weightOf = (is: RegExp): number =>
    items.filter(({ id }) => is.test(`${(id as any).S}`)).reduce((sum, item) => sum + itemBytes(item), 0);

  const counting = stats(store, { unitsPerSecond: 100_000 });
  expect(await counting.estimate()).toMatchObject({ items: items.length });
  const { groups, parts } = await counting.result();
  expect(groups).toMatchObject([
    { scope: 'charge', state: 'completed', records: 2 },
    { scope: 'charge', state: 'failed', records: 1, ages: { 'under 1 h': 1 } },
    {
      ...{ scope: 'old', state: 'stuck', records: 5, bytes: weightOf(/^old#/), oldest: now - 8 * 24 * HOUR },
      ages: { 'under 1 h': 2, 'under 1 d': 1, 'under 7 d': 1, older: 1 },
    },
  ]);
  const [completedOnes] = groups;
  expect(completedOnes?.largestBytes).toBeLessThan(completedOnes?.bytes ?? 0);
  expect(parts).toEqual({ items: 2, bytes: weightOf(/^charge#.*#.*#/) });
  expect(counting.progress()).toMatchObject({ scanned: items.length, foreign: 1 });
  expect(counting.progress().readUnits).toBeGreaterThan(0);
});

it('an empty table has no records, and an option that it does not have is refused', async () => {
  expect(await stats(memoryStore()).result()).toEqual({ groups: [], parts: { items: 0, bytes: 0 } });
  expect(() => stats(memoryStore(), { state: 'stuck' } as any)).toThrow('stats has no option `state`');
});

it('an item weighs what DynamoDB says: names, values, and a little for each map', () => {
  const weight = itemBytes(toItem(claimed({ id: 'é', identity: { key: 'k' }, steps: {} })));
  const { length } = 'idstatusIN_PROGRESSstepsversionownerattemptidentitykeyleaseUntilclaimedAtexpiresAtformat';
  const [id, version, owner, attempt, leaseUntil, claimedAt, expiresAt, format] = [2, 2, 36, 2, 8, 8, 6, 2];
  const maps = 3 + 3 + 1 + 'k'.length;
  expect(weight).toBe(length + id + version + owner + attempt + leaseUntil + claimedAt + expiresAt + format + maps);
});
