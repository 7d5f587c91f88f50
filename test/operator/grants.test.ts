import { randomBytes } from 'node:crypto';
import { dynamoDBStore } from 'effectively-once';
import { forget, inspect, list, recordId, resolve } from 'effectively-once/operator';
import { expect, it } from 'vitest';
import { OPERATE_ACTIONS } from '../../src/stores/dynamodb/item.ts';
import { createTable, engineClient } from '../engine.ts';
import { completed, crashed } from './world.ts';

it('operators send what grantOperate allows: to look, and to decide', async () => {
  const client = engineClient();
  const tableName = await createTable(client);
  const runs = dynamoDBStore({ client, tableName });
  const large = randomBytes(20_000).toString('base64');
  await completed(runs, 'large', large);
  await crashed(runs, { key: 'lost', onUnknown: 'refuse' });
  const id = (key: string): string => recordId({ scope: 'charge', key });
  const { read, write } = runs;
  const seen = await read?.(id('lost'));
  const step = { kind: 'value', stored: { packed: 'no', at: 'there', chunks: 1 } } as const;
  const next = { ...seen, leaseUntil: 1, steps: { large: step } } as any;
  for (const key of ['lost', 'other']) {
    const record = { ...next, id: id(key) };
    await write(
      key === 'lost' ? { kind: 'replace', seen: seen as any, next: record } : { kind: 'insert', next: record },
    );
  }

  const sent = new Set<string>();
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        sent.add(`dynamodb:${commandName.replace('Command', '')}`);
        return next(args);
      },
    { step: 'initialize' },
  );
  const store = dynamoDBStore({ client, tableName });
  const listing = list(store);
  await listing.estimate();
  for await (const one of listing) await inspect(store, one.id);
  expect(OPERATE_ACTIONS.look).toEqual(expect.arrayContaining([...sent]));

  sent.clear();
  await resolve(store, id('lost'), { rerun: true });
  await resolve(store, id('other'), { value: large });
  await forget(store, id('large'));
  expect([...sent].sort()).toEqual(['dynamodb:BatchGetItem', ...OPERATE_ACTIONS.decide].sort());
});

it('what they may do is that, and how the table is set up, which `doctor` asks', () => {
  expect(OPERATE_ACTIONS).toEqual({
    look: [
      'dynamodb:Scan',
      'dynamodb:BatchGetItem',
      'dynamodb:DescribeTable',
      'dynamodb:DescribeTimeToLive',
      'dynamodb:DescribeContinuousBackups',
    ],
    decide: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
  });
});
