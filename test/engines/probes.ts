import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeValue,
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  type TransactWriteItemsCommandInput,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import { LOCAL } from '../../local/dynamodb.ts';

export interface Probe {
  readonly behaviour: string;
  /** What AWS does by its documentation, unless that does not say. */
  readonly documented?: string;
  readonly measure: (subject: Subject) => Promise<string>;
}

/** An engine under measurement. */
export interface Subject {
  readonly client: DynamoDBClient;
  readonly endpoint: string;
  readonly TableName: string;
}

type Item = Record<string, AttributeValue>;
const KB = 1024;
const idOf = (id: string): Item => ({ id: { S: id } });
const key = (): Item => idOf(crypto.randomUUID());
/** An item of just that size: names and values count. */
const sized = (bytes: number): Item => ({ ...key(), b: { B: new Uint8Array(bytes - 'id'.length - 36 - 'b'.length) } });
const saved = async ({ client, TableName }: Subject, Item: Item = { ...key(), v: { N: '1' } }): Promise<Item> => {
  await client.send(new PutItemCommand({ TableName, Item }));
  return Item;
};
const NEVER = {
  ConditionExpression: 'v = :v',
  ExpressionAttributeValues: { ':v': { N: '9' } },
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
} as const;
const add = (TableName: string, Key: Item) => ({
  Update: { TableName, Key, UpdateExpression: 'ADD n :one', ExpressionAttributeValues: { ':one': { N: '1' } } },
});
const transact = ({ client }: Subject, input: TransactWriteItemsCommandInput) =>
  client.send(new TransactWriteItemsCommand(input));
const handed = (item: object | undefined): string => (item ? 'handed back' : 'no item');

/** The error that a promise ends with, or that it was accepted. */
const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    ({ name }) => name,
  );

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

export async function tableOf(client: DynamoDBClient, more: Partial<CreateTableCommandInput> = {}): Promise<string> {
  const TableName = `table-${crypto.randomUUID()}`;
  const schema: Omit<CreateTableCommandInput, 'TableName'> = {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  };
  await client.send(new CreateTableCommand({ TableName, ...schema, ...more }));
  return TableName;
}

async function streamed({ client, endpoint }: Subject, TableName: string): Promise<StreamRecord[]> {
  const streams = new DynamoDBStreamsClient({ ...LOCAL, endpoint });
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  const StreamArn = Table?.LatestStreamArn;
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const records: StreamRecord[] = [];
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    const { ShardIterator } = await streams.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    );
    const { Records = [] } = await streams.send(new GetRecordsCommand({ ShardIterator }));
    records.push(...Records);
  }
  streams.destroy();
  return records;
}

const STREAM = { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } } as const;
const TTL_PATIENCE_S = 100;

async function expiry(subject: Subject): Promise<string> {
  const { client } = subject;
  const TableName = await tableOf(client, STREAM);
  const TimeToLiveSpecification = { Enabled: true, AttributeName: 'e' };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  const Key = key();
  const start = Date.now();
  const Item = { ...Key, e: { N: `${Math.floor(start / 1000) - 60}` } };
  await client.send(new PutItemCommand({ TableName, Item }));
  const isGone = async () =>
    !(await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item || undefined;
  if (!(await within(TTL_PATIENCE_S, isGone))) return `not within ${TTL_PATIENCE_S} s`;
  const seconds = Math.round((Date.now() - start) / 1000);
  const isRemoval = ({ eventName }: StreamRecord) => eventName === 'REMOVE';
  const removal = await within(20, async () => (await streamed(subject, TableName)).find(isRemoval));
  const mark = removal?.userIdentity ? 'marked stream record' : 'unmarked stream record';
  return `after ${seconds} s, ${removal ? mark : 'no stream record'}`;
}

/** What is found before the time is over. */
async function within<T>(seconds: number, find: () => Promise<T | undefined>): Promise<T | undefined> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(500)) {
    const found = await find();
    if (found) return found;
  }
  return undefined;
}

async function contention(subject: Subject): Promise<string> {
  const { TableName, client } = subject;
  const Key = key();
  const once = new DynamoDBClient({ ...LOCAL, endpoint: subject.endpoint, maxAttempts: 1 });
  const results = await Promise.all(
    Array.from({ length: 200 }, () =>
      transact({ ...subject, client: once }, { TransactItems: [add(TableName, Key), add(TableName, key())] }).then(
        () => 'done',
        ({ name, CancellationReasons }) => CancellationReasons?.[0]?.Code ?? name,
      ),
    ),
  );
  once.destroy();
  const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  const others = Object.entries(Object.groupBy(results, (result) => result)).filter(([result]) => result !== 'done');
  const tally = others.map(([result, all]) => `${all?.length} × ${result}`).join(', ') || 'none';
  const done = results.filter((result) => result === 'done').length;
  return Item?.['n']?.N === `${done}` ? tally : `${tally}; ${done} done, ${Item?.['n']?.N} counted`;
}

async function batchGet(subject: Subject): Promise<string> {
  const { client, TableName } = subject;
  const items = await Promise.all(Array.from({ length: 60 }, () => saved(subject, sized(390 * KB))));
  const Keys = items.map(({ id }) => ({ id }) as Item);
  const { Responses, UnprocessedKeys } = await client.send(
    new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } }),
  );
  await Promise.all(Keys.map((Key) => client.send(new DeleteItemCommand({ TableName, Key }))));
  return `${Responses?.[TableName]?.length} items, ${UnprocessedKeys?.[TableName]?.Keys?.length ?? 0} unprocessed`;
}

/** Whether the table is seen by a client that differs. */
async function seenBy({ endpoint, TableName }: Subject, other: Partial<DynamoDBClientConfig>): Promise<string> {
  const client = new DynamoDBClient({ ...LOCAL, ...other, endpoint });
  const answer = await refusal(client.send(new DescribeTableCommand({ TableName })));
  client.destroy();
  return answer === 'accepted' ? 'the same tables' : 'other tables';
}

async function staleReads(subject: Subject): Promise<string> {
  const { client, TableName } = subject;
  let stale = 0;
  for (let time = 0; time < 200; time++) {
    const { id } = await saved(subject);
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: { id } as Item }));
    if (!Item) stale++;
  }
  return `${stale || 'none'} stale of 200`;
}

async function repeatedToken(subject: Subject): Promise<string> {
  const { client, TableName } = subject;
  const Key = key();
  const ClientRequestToken = crypto.randomUUID();
  const input = { ClientRequestToken, TransactItems: [add(TableName, Key)] };
  await transact(subject, input);
  await transact(subject, input);
  const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  return Item?.['n']?.N === '1' ? 'applied once' : 'applied again';
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
    measure: async (subject) => {
      const { client } = subject;
      const TableName = await tableOf(client, STREAM);
      const Key = key();
      await client.send(new PutItemCommand({ TableName, Item: Key }));
      await client.send(new UpdateItemCommand(add(TableName, Key).Update));
      await client.send(new DeleteItemCommand({ TableName, Key }));
      const records = await streamed(subject, TableName);
      const hasImages = Boolean(records[1]?.dynamodb?.OldImage && records[1].dynamodb.NewImage);
      return `${records.map(({ eventName }) => eventName).join(', ')}${hasImages ? '' : ', no images'}`;
    },
  },
  { behaviour: 'TTL: an expired item is deleted', documented: 'within days, marked stream record', measure: expiry },
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
