import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { LOCAL } from '../../local/dynamodb.ts';
import { batchGet, changes, contention, expiry, repeatedToken, seenBy, staleReads } from './scenarios.ts';
import { add, type Item, idOf, KB, key, refusal, type Subject, saved, sized, transact } from './subject.ts';

export interface Probe {
  readonly behaviour: string;
  /** What AWS does by its documentation, unless that does not say. */
  readonly documented?: string;
  readonly measure: (subject: Subject) => Promise<string>;
}

/** What may differ where, in the order of the table. */
export const PROBES: readonly Probe[] = [
  {
    behaviour: '`ALL_OLD` of a refused `PutItem`',
    documented: 'handed back',
    measure: async (subject) => {
      const Item = await saved(subject);
      return itemOf(subject.client.send(new PutItemCommand({ TableName: subject.TableName, Item, ...NEVER })));
    },
  },
  {
    behaviour: '… of a refused `UpdateItem`',
    documented: 'handed back',
    measure: async (subject) => {
      const { id } = await saved(subject);
      const input = { TableName: subject.TableName, Key: { id } as Item, UpdateExpression: 'SET w = :v', ...NEVER };
      return itemOf(subject.client.send(new UpdateItemCommand(input)));
    },
  },
  {
    behaviour: '… of a refused `TransactWriteItems`: Put, Update, ConditionCheck',
    documented: 'handed back',
    measure: async (subject) => {
      const { TableName } = subject;
      const Item = await saved(subject);
      const Key = { id: Item['id'] } as Item;
      const answers = [
        await itemOf(transact(subject, { TransactItems: [{ Put: { TableName, Item, ...NEVER } }] })),
        await itemOf(
          transact(subject, {
            TransactItems: [{ Update: { TableName, Key, UpdateExpression: 'SET w = :v', ...NEVER } }],
          }),
        ),
        await itemOf(transact(subject, { TransactItems: [{ ConditionCheck: { TableName, Key, ...NEVER } }] })),
      ];
      return new Set(answers).size === 1 ? `${answers[0]}` : answers.join(', ');
    },
  },
  {
    behaviour: '… of a refused `INSERT` in a PartiQL batch',
    measure: async (subject) => {
      const { id } = await saved(subject);
      return partiql(subject, `INSERT INTO "${subject.TableName}" VALUE {'id': '${id?.S}'}`);
    },
  },
  {
    behaviour: '… of a refused `UPDATE` in a PartiQL batch',
    documented: 'ConditionalCheckFailed, handed back',
    measure: async (subject) => {
      const { id } = await saved(subject);
      return partiql(subject, `UPDATE "${subject.TableName}" SET w = 1 WHERE id = '${id?.S}' AND v = 9`);
    },
  },
  {
    behaviour: 'Write units of a 1.5 KB item, and in a transaction',
    documented: '2, 4',
    measure: async (subject) => {
      const { client, TableName } = subject;
      const Item = sized(1.5 * KB);
      const alone = await client.send(new PutItemCommand({ TableName, Item, ...TOTAL }));
      return `${units(alone)}, ${units(await transact(subject, { TransactItems: [{ Put: { TableName, Item } }], ...TOTAL }))}`;
    },
  },
  {
    behaviour: 'Read units of a 5 KB item, consistent and not',
    documented: '2, 1',
    measure: async (subject) => {
      const { client, TableName } = subject;
      const { id } = await saved(subject, sized(5 * KB));
      const read = (ConsistentRead: boolean) =>
        client.send(new GetItemCommand({ TableName, Key: { id } as Item, ConsistentRead, ...TOTAL }));
      return `${units(await read(true))}, ${units(await read(false))}`;
    },
  },
  {
    behaviour: 'An item of 400 KB, and of a byte more',
    documented: 'accepted, ValidationException',
    measure: async (subject) =>
      `${await refusal(saved(subject, sized(400 * KB)))}, ${await refusal(saved(subject, sized(400 * KB + 1)))}`,
  },
  {
    behaviour: 'An update that grows an item beyond 400 KB',
    documented: 'ValidationException',
    measure: async (subject) => {
      const { id } = await saved(subject, sized(300 * KB));
      const values = { ':b': { B: new Uint8Array(200 * KB) } };
      const input = { Key: { id } as Item, UpdateExpression: 'SET c = :b', ExpressionAttributeValues: values };
      return refusal(subject.client.send(new UpdateItemCommand({ TableName: subject.TableName, ...input })));
    },
  },
  {
    behaviour: 'A transaction of more than 4 MB',
    documented: 'ValidationException',
    measure: (subject) => {
      const puts = Array.from({ length: 11 }, () => ({ Put: { TableName: subject.TableName, Item: sized(390 * KB) } }));
      return refusal(transact(subject, { TransactItems: puts }));
    },
  },
  {
    behaviour: 'A transaction of 100 actions, and of 101',
    documented: 'accepted, ValidationException',
    measure: async (subject) => {
      const of = (length: number) =>
        refusal(transact(subject, { TransactItems: Array.from({ length }, () => add(subject.TableName, key())) }));
      return `${await of(100)}, ${await of(101)}`;
    },
  },
  {
    behaviour: 'A transaction of two actions on one item',
    documented: 'ValidationException',
    measure: (subject) => {
      const twice = add(subject.TableName, key());
      return refusal(transact(subject, { TransactItems: [twice, twice] }));
    },
  },
  { behaviour: 'The same `ClientRequestToken` again', documented: 'applied once', measure: repeatedToken },
  {
    behaviour: '… with another content',
    documented: 'IdempotentParameterMismatchException',
    measure: async (subject) => {
      const ClientRequestToken = crypto.randomUUID();
      const send = () => transact(subject, { ClientRequestToken, TransactItems: [add(subject.TableName, key())] });
      await send();
      return refusal(send());
    },
  },
  {
    behaviour: 'Conflicts among 200 concurrent transactions on one item',
    documented: 'TransactionConflict',
    measure: contention,
  },
  {
    behaviour: '`BatchGetItem` of 60 items of 390 KB, by at most 16 MB',
    documented: '42 items, 18 unprocessed',
    measure: batchGet,
  },
  {
    behaviour: '`BatchGetItem` of 101 keys, and of a key twice',
    documented: 'ValidationException, ValidationException',
    measure: async ({ client, TableName }) => {
      const of = (Keys: Item[]) =>
        refusal(client.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } })));
      return `${await of(Array.from({ length: 101 }, key))}, ${await of([idOf('a'), idOf('a')])}`;
    },
  },
  {
    behaviour: 'An empty key',
    documented: 'ValidationException',
    measure: (subject) => refusal(saved(subject, idOf(''))),
  },
  {
    behaviour: 'A reserved word in an expression, a value that none uses',
    documented: 'ValidationException, ValidationException',
    measure: async ({ client, TableName }) => {
      const of = (UpdateExpression: string, ExpressionAttributeValues: Item) =>
        refusal(
          client.send(new UpdateItemCommand({ TableName, Key: key(), UpdateExpression, ExpressionAttributeValues })),
        );
      const one = { N: '1' };
      return `${await of('SET status = :one', { ':one': one })}, ${await of('SET a = :one', { ':one': one, ':two': one })}`;
    },
  },
  {
    behaviour: 'Reads right after a write, without `ConsistentRead`',
    documented: 'may be stale',
    measure: staleReads,
  },
  {
    behaviour: 'Streams: a put, an update, a removal, with images',
    documented: 'INSERT, MODIFY, REMOVE',
    measure: changes,
  },
  {
    behaviour: 'TTL: an expired item is deleted, which the stream tells',
    documented: 'within days, REMOVE marked',
    measure: expiry,
  },
  {
    behaviour: 'Another access key sees',
    documented: 'other tables',
    measure: (subject) =>
      seenBy(subject, { credentials: { accessKeyId: 'another', secretAccessKey: LOCAL.credentials.secretAccessKey } }),
  },
  {
    behaviour: '… another region',
    documented: 'other tables',
    measure: (subject) => seenBy(subject, { region: 'us-west-2' }),
  },
  {
    behaviour: 'A wrong secret key',
    documented: 'InvalidSignatureException',
    measure: async ({ endpoint, TableName }) => {
      const credentials = { ...LOCAL.credentials, secretAccessKey: 'wrong' };
      const client = new DynamoDBClient({ ...LOCAL, endpoint, credentials });
      return refusal(client.send(new DescribeTableCommand({ TableName })).finally(() => client.destroy()));
    },
  },
];

const NEVER = {
  ConditionExpression: 'v = :v',
  ExpressionAttributeValues: { ':v': { N: '9' } },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
} as const;
const handed = (item: object | undefined): string => (item ? 'handed back' : 'no item');

const itemOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'not refused',
    (error) => handed(error.Item ?? error.CancellationReasons?.find(({ Item }: { Item?: Item }) => Item)),
  );

async function partiql({ client }: Subject, Statement: string): Promise<string> {
  const statement = { Statement, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  const { Responses: [response] = [] } = await client.send(
    new BatchExecuteStatementCommand({ Statements: [statement] }),
  );
  return `${response?.Error?.Code ?? 'not refused'}, ${handed(response?.Error?.Item ?? response?.Item)}`;
}

const units = ({ ConsumedCapacity: of }: { ConsumedCapacity?: unknown }): string =>
  `${([of].flat()[0] as { CapacityUnits?: number } | undefined)?.CapacityUnits ?? 'none'}`;

const TOTAL = { ReturnConsumedCapacity: 'TOTAL' } as const;
