import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
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
import { add, type Item, KB, key, refusal, type Subject, saved, sized, tableOf, transact } from './subject.ts';

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

export async function expiry(subject: Subject): Promise<string> {
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
  const isRemoval = ({ eventName }: StreamRecord) => eventName !== 'INSERT';
  const removal = await within(20, async () => (await streamed(subject, TableName)).find(isRemoval));
  const event = removal ? `${removal.eventName} ${removal.userIdentity ? 'marked' : 'unmarked'}` : 'no event';
  return `after ${seconds} s, ${event}`;
}

/** What is found before the time is over. */
async function within<T>(seconds: number, find: () => Promise<T | undefined>): Promise<T | undefined> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(500)) {
    const found = await find();
    if (found) return found;
  }
  return undefined;
}

export async function contention(subject: Subject): Promise<string> {
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

export async function batchGet(subject: Subject): Promise<string> {
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
export async function seenBy({ endpoint, TableName }: Subject, other: Partial<DynamoDBClientConfig>): Promise<string> {
  const client = new DynamoDBClient({ ...LOCAL, ...other, endpoint });
  const answer = await refusal(client.send(new DescribeTableCommand({ TableName })));
  client.destroy();
  return answer === 'accepted' ? 'the same tables' : 'other tables';
}

export async function staleReads(subject: Subject): Promise<string> {
  const { client, TableName } = subject;
  let stale = 0;
  for (let time = 0; time < 200; time++) {
    const { id } = await saved(subject);
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: { id } as Item }));
    if (!Item) stale++;
  }
  return `${stale || 'none'} stale of 200`;
}

export async function repeatedToken(subject: Subject): Promise<string> {
  const { client, TableName } = subject;
  const Key = key();
  const ClientRequestToken = crypto.randomUUID();
  const input = { ClientRequestToken, TransactItems: [add(TableName, Key)] };
  await transact(subject, input);
  await transact(subject, input);
  const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  return Item?.['n']?.N === '1' ? 'applied once' : 'applied again';
}

export async function changes(subject: Subject): Promise<string> {
  const { client } = subject;
  const TableName = await tableOf(client, STREAM);
  const Key = key();
  await client.send(new PutItemCommand({ TableName, Item: Key }));
  await client.send(new UpdateItemCommand(add(TableName, Key).Update));
  await client.send(new DeleteItemCommand({ TableName, Key }));
  const records = await streamed(subject, TableName);
  const hasImages = Boolean(records[1]?.dynamodb?.OldImage && records[1].dynamodb.NewImage);
  return `${records.map(({ eventName }) => eventName).join(', ')}${hasImages ? '' : ', no images'}`;
}
