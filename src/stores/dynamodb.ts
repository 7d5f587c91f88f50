import {
  type ConditionalCheckFailedException,
  DynamoDBClient,
  PutItemCommand,
  type PutItemCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { checkOptions } from '../core/check.ts';
import type { IdempotencyRecord } from '../core/record.ts';
import type { CompletingWrite, Store, Written } from '../core/store.ts';
import { environment } from '../environment.ts';
import { cached } from './cache.ts';
import { withChunks } from './chunks.ts';
import { type Connection, chunkTable } from './dynamodb-chunks.ts';
import { persistently, storeError } from './dynamodb-errors.ts';
import {
  type Condition,
  IF_ABSENT,
  type Item,
  ifSeen,
  ownersUpdate,
  type Put,
  toItem,
  toRecord,
  type Update,
} from './dynamodb-item.ts';
import { transact } from './dynamodb-transaction.ts';

export interface DynamoDBStoreOptions {
  /**
   * The table, as `IdempotencyTable` makes it: partition key `id`, a string, and no sort key.
   * @default - the environment's `IDEMPOTENCY_TABLE`
   */
  readonly tableName?: string;
  /**
   * A `DynamoDBClient` or `DynamoDBDocumentClient`. Give it request timeouts: the SDK has none.
   * @default - a client that gives up on a connection after 1 s and on a request after 3 s, and tries again
   */
  readonly client?: Pick<DynamoDBClient, 'send'>;
  /**
   * Bytes of completed outcomes that this process keeps to answer duplicates without a request; `false` for none.
   * @default 4 MiB
   */
  readonly cache?: number | false;
}

/**
 * Keeps records in a DynamoDB table: one write for a claim, one for its completion, and none besides.
 *
 * Reads the environment at the first request, so that a module with a store can be imported without one.
 */
export function dynamoDBStore(options: DynamoDBStoreOptions = {}): Store {
  checkOptions('dynamoDBStore', options, {
    tableName: [(value) => /^(arn:.+|[\w.-]{3,255})$/.test(String(value)), 'the name or ARN of a table'],
    client: [
      (value) => typeof (value as DynamoDBClient)?.send === 'function',
      'a DynamoDBClient or DynamoDBDocumentClient',
    ],
    cache: [
      (value) => value === false || (Number.isInteger(value) && Number(value) >= 0),
      'a number of bytes, or false',
    ],
  });
  const { cache = 4 * 1024 * 1024 } = options;
  let connection: Connection | undefined;
  const connect = (): Connection => {
    connection ??= { client: options.client ?? defaultClient(), TableName: options.tableName ?? environment.table() };
    return connection;
  };
  const store = withChunks(recordTable(connect), chunkTable(connect));
  return cache === false ? store : cached(store, cache);
}

function recordTable(connect: () => Connection): Store {
  const write = async (request: (to: Connection) => Promise<unknown>, signal?: AbortSignal): Promise<Written> => {
    const to = connect();
    try {
      await persistently(() => request(to), signal);
      return { done: true };
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException')
        throw storeError(error, to.TableName);
      const { Item: item } = error as ConditionalCheckFailedException;
      return { done: false, found: item && toRecord(item as Item) };
    }
  };

  const put = (next: IdempotencyRecord, condition: Condition, signal?: AbortSignal): Promise<Written> =>
    write(({ client, TableName }) => {
      const input: PutItemCommandInput = { TableName, Item: toItem(next), ...condition, ...HAND_BACK };
      return client.send(new PutItemCommand(input), { abortSignal: signal });
    }, signal);

  return {
    insert: (next, signal) => put(next, IF_ABSENT, signal),
    replace: (seen, next, signal) => put(next, ifSeen(seen), signal),
    update: (held, change, signal) =>
      write(({ client, TableName }) => {
        const input: UpdateItemCommandInput = { TableName, ...ownersUpdate(held, change), ...HAND_BACK };
        return client.send(new UpdateItemCommand(input), { abortSignal: signal });
      }, signal),
    transact: (write, writes, signal) => {
      const { client, TableName } = connect();
      const mine = { TableName, ...completing(write), ...HAND_BACK };
      return transact(client, mine, writes, signal).catch((error) => {
        throw storeError(error, TableName);
      });
    },
  };
}

function completing(write: CompletingWrite): Put | Update {
  if ('held' in write) return ownersUpdate(write.held, write.completion);
  return { Item: toItem(write.next), ...(write.seen ? ifSeen(write.seen) : IF_ABSENT) };
}

// The record in the way comes with the refusal: no second read, no read capacity.
const HAND_BACK = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

function defaultClient(): DynamoDBClient {
  return new DynamoDBClient({
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
  });
}
