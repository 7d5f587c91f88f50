import { dynamoDBStore, type Store } from 'effectively-once';
import { forget, inspect, list, resolve, stats } from 'effectively-once/operator';
import { beforeEach, expect, it, vi } from 'vitest';
import { createTable, engineClient } from '../engine.ts';
import { completed, crashed } from './world.ts';

const WHOLE = { scope: 'charge', key: 'k', operation: [], principal: false } as const;
const first = (store: Store, options: object): Promise<unknown> => list(store, options)[Symbol.asyncIterator]().next();

let TableName: string;
beforeEach(async () => {
  TableName = await createTable(engineClient());
});

/** A store that may not send a command. */
function storeWithout(denied: string): Store {
  const client = engineClient();
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName !== `${denied}Command`) return next(args);
        const message = `not authorized to perform: dynamodb:${denied}`;
        throw Object.assign(new Error(message), { name: 'AccessDeniedException' });
      },
    { step: 'initialize' },
  );
  return dynamoDBStore({ client, tableName: TableName, cache: false });
}

it.each<[string, string, (store: Store, id: string) => Promise<unknown>]>([
  ['Scan', 'list', (store) => first(store, {})],
  ['Scan', 'stats', (store) => stats(store).result()],
  ['DescribeTable', 'an estimate', (store) => list(store).estimate()],
  ['BatchGetItem', 'list of one', (store) => first(store, WHOLE)],
  ['BatchGetItem', 'inspect', inspect],
  ['BatchGetItem', 'resolve', (store, id) => resolve(store, id, { rerun: true })],
  ['BatchGetItem', 'forget', forget],
  ['PutItem', 'resolve', (store, id) => resolve(store, id, { rerun: true })],
])('without %s, %s names the permission, and the grant for operators', async (denied, _, asked) => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const all = dynamoDBStore({ client: engineClient(), tableName: TableName, cache: false });
  await crashed(all, { key: 'k' });
  vi.setSystemTime(Date.now() + 60_000);
  const { value } = (await first(all, { scope: 'charge' })) as any;
  await expect(asked(storeWithout(denied), value.id)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: `a permission is missing, which IdempotencyTable.grantOperate gives: not authorized to perform: dynamodb:${denied}`,
  });
  vi.useRealTimers();
});

it('without PutItem, forget names it, too', async () => {
  const all = dynamoDBStore({ client: engineClient(), tableName: TableName, cache: false });
  await completed(all, 'k', 1);
  const { value } = (await first(all, {})) as any;
  await expect(forget(storeWithout('PutItem'), value.id)).rejects.toMatchObject({
    message: expect.stringContaining('grantOperate gives: not authorized to perform: dynamodb:PutItem'),
  });
});
