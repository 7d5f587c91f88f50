import {
  BatchExecuteStatementCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import { context, httpEvent, ORDER, sqsEvent } from '../../events.ts';
import { ORDERS } from '../engine.ts';
import { keysOf, type Setting, type Way } from './way.ts';

/** The SDK calls that no library can do without: the smallest items, by low-level commands. */
export const bare: Way = {
  name: 'bare SDK calls',
  doors: {
    handler: (setting) => {
      const { claim, complete, outcome } = callsOf(setting);
      return async (key) => {
        const event = httpEvent(key, setting.body);
        const id = event.headers['idempotency-key'] as string;
        const found = await claim(id);
        if (found) return outcome(found);
        const response = await setting.respond();
        await complete(id, response);
        return response;
      };
    },
    Middy: (setting) => {
      const { claim, complete, outcome } = callsOf(setting);
      const handler = middy()
        .use({
          before: async ({ event }: any) => {
            const found = await claim(event.headers['idempotency-key']);
            return found && outcome(found);
          },
          after: async ({ event, response }: any) => {
            await complete(event.headers['idempotency-key'], response);
          },
        })
        .handler(async () => setting.respond());
      return (key) => Promise.resolve(handler(httpEvent(key, setting.body), context() as never, {} as never));
    },
    'batch of 10': (setting) => {
      const { claim, complete } = callsOf(setting);
      return (key) =>
        Promise.all(
          sqsEvent(keysOf(key, setting)).Records.map(async ({ messageId }) => {
            if (!(await claim(messageId))) await complete(messageId, await setting.work());
          }),
        );
    },
    runOnce: (setting) => {
      const { claim, complete } = callsOf(setting);
      return async (key) => {
        await claim(key);
        await complete(key, await setting.work());
      };
    },
    commit: (setting) => {
      const { claim, transact, completion } = callsOf(setting);
      return async (key) => {
        await claim(key);
        await transact({ Update: completion(key, ORDER) }, key);
      };
    },
    atomic: (setting) => {
      const { transact, outcomeOnly } = callsOf(setting);
      return (key) => transact({ Put: outcomeOnly(key, ORDER) }, key);
    },
  },
};

const MOST = 25;

/** The same records in two requests for each 25 of them: what grouping can come to. */
export const bareGroups: Way = {
  name: 'bare SDK calls, in groups',
  doors: {
    'batch of 10': ({ client, table, ...setting }) => {
      const insert = `INSERT INTO "${table}" VALUE {'id': ?, 'status': ?, 'expiresAt': ?}`;
      const update = `UPDATE "${table}" SET status = ?, outcome = ? WHERE id = ?`;
      const text = (value: string) => ({ S: value });
      const all = async (keys: readonly string[], Statement: string, parameters: (key: string) => any[]) => {
        const statements = keys.map((key) => ({ Statement, Parameters: parameters(key) }));
        const groups = Array.from({ length: Math.ceil(keys.length / MOST) }, (_, index) =>
          statements.slice(index * MOST, (index + 1) * MOST),
        );
        await Promise.all(groups.map((Statements) => client.send(new BatchExecuteStatementCommand({ Statements }))));
      };
      return async (key) => {
        const event = sqsEvent(keysOf(key, { client, table, ...setting }));
        const keys = event.Records.map(({ messageId }) => messageId);
        await all(keys, insert, (id) => [text(id), text('IN_PROGRESS'), { N: '99999999999' }]);
        const outcome = JSON.stringify(await setting.work());
        await all(keys, update, (id) => [text('COMPLETED'), text(outcome), text(id)]);
      };
    },
  },
};

function callsOf({ client, table: TableName }: Setting) {
  const completion = (id: string, value: unknown) => ({
    TableName,
    Key: { id: { S: id } },
    UpdateExpression: 'SET #status = :completed, #outcome = :outcome',
    ConditionExpression: '#status = :claimed',
    ExpressionAttributeNames: { '#status': 'status', '#outcome': 'outcome' },
    ExpressionAttributeValues: {
      ':completed': { S: 'COMPLETED' },
      ':claimed': { S: 'IN_PROGRESS' },
      ':outcome': { S: JSON.stringify(value) },
    },
  });
  return {
    completion,
    outcomeOnly: (id: string, value: unknown) => ({
      TableName,
      Item: { id: { S: id }, status: { S: 'COMPLETED' }, outcome: { S: JSON.stringify(value) } },
      ConditionExpression: 'attribute_not_exists(id)',
    }),
    /** The record in the way, if there is one. */
    claim: async (id: string): Promise<any> => {
      const Item = { id: { S: id }, status: { S: 'IN_PROGRESS' }, expiresAt: { N: '99999999999' } };
      const condition = { ConditionExpression: 'attribute_not_exists(id)' };
      const back = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
      try {
        await client.send(new PutItemCommand({ TableName, Item, ...condition, ...back }));
      } catch (error) {
        return (error as { Item?: unknown }).Item ?? Promise.reject(error);
      }
    },
    complete: (id: string, value: unknown) => client.send(new UpdateItemCommand(completion(id, value))),
    transact: (record: any, key: string) => {
      const Put = { TableName: ORDERS, Item: { id: { S: `order-${key}` }, total: { N: '4200' } } };
      return client.send(new TransactWriteItemsCommand({ TransactItems: [record, { Put }] }));
    },
    outcome: (found: any): unknown => JSON.parse(found.outcome.S),
  };
}
