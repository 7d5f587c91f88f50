import {
  type ConditionalCheckFailedException,
  DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { flag, isFunction, parsed, positiveDuration, that } from '../../core/check.ts';
import type { Duration } from '../../core/duration.ts';
import { lazy } from '../../core/lazy.ts';
import type { Store } from '../../core/store.ts';
import { ENVIRONMENT, environment } from '../../environment.ts';
import { cached } from '../cache.ts';
import { CACHE_FOR_MS } from '../cache-for.ts';
import { withChunks } from '../chunks.ts';
import { type Grouping, grouped } from '../grouped.ts';
import { chunkTable } from './chunks.ts';
import { storeError } from './errors.ts';
import { type Item, requestOf } from './item.ts';
import { toRecord } from './reader.ts';
import { type Connection, itemsOf, sendOnce } from './table.ts';
import { checkWrites } from './writes.ts';

export interface DynamoDBStoreOptions {
  /**
   * The name of the table, or its ARN if it is of another account or Region. It must be as `IdempotencyTable` makes it: partition key
   * `id`, a string, and no sort key.
   * @default - the environment's `IDEMPOTENCY_TABLE`
   */
  readonly tableName?: string;
  /**
   * A `DynamoDBClient` or `DynamoDBDocumentClient`. Give it request timeouts: the SDK has none. Its own retries are not used: the
   * runtime sends a request again as long as there is time.
   * @default - a client that gives up on a connection after 1 s and on a request after 3 s, in the Region of the table's ARN
   */
  readonly client?: Pick<DynamoDBClient, 'send'>;
  /**
   * Bytes of completed outcomes that this process keeps, to answer duplicates without a request; `false` for none.
   * @default 4 MiB
   */
  readonly cache?: number | false;
  /**
   * How long an outcome is kept there: an operator's word reaches this process no later.
   * @default '60s'
   */
  readonly cacheFor?: Duration;
  /**
   * Whether writes that are made at the same time, as those of the records of a batch, share requests, of up to 25. They cost as many
   * write units as one by one; a duplicate among them costs one read unit per 4 KB of its record besides. Needs the permissions
   * `PartiQLInsert` and `PartiQLUpdate`: without them a process warning is emitted once, and writes go one by one, as they do in a
   * table that is named by its ARN.
   * @default true
   */
  readonly group?: boolean;
}

const isName = (value: unknown): boolean => /^(arn:.+|[\w.-]{3,255})$/.test(String(value));
const isSize = (value: unknown): boolean => value === false || (Number.isInteger(value) && Number(value) >= 0);

const OPTIONS = {
  tableName: that<string>(isName, 'the name or ARN of a table'),
  client: that<Connection['client']>(
    (value) => isFunction((value as Partial<DynamoDBClient> | null)?.send),
    'a DynamoDBClient or DynamoDBDocumentClient',
  ),
  cache: that<number | false>(isSize, 'a number of bytes, or false'),
  cacheFor: positiveDuration,
  group: flag,
};

/**
 * Keeps records in a DynamoDB table: one write for a claim, one for its completion, and none besides.
 *
 * Reads the environment at the first request, so that a module with a store can be imported without one.
 *
 * @example
 * const store = dynamoDBStore(); // the table that IDEMPOTENCY_TABLE names
 */
export function dynamoDBStore(options: DynamoDBStoreOptions = {}): Store {
  const {
    tableName,
    client,
    cacheFor = CACHE_FOR_MS,
    group = true,
    ...given
  } = parsed('dynamoDBStore', options, OPTIONS);
  const { cache = 4 * 1024 * 1024 } = given;
  const made = client ?? defaultClient(regionIn(tableName ?? process.env[ENVIRONMENT.table]));
  const connect = lazy((): Connection => ({ client: made, TableName: tableName ?? environment.table() }));
  const records = recordTable(connect);
  const store = withChunks(group ? grouped(records, groupsOf(connect)) : records, chunkTable(connect));
  return cache === false ? store : cached(store, { bytes: cache, ms: cacheFor });
}

/** Writes in groups, until the table refuses them. Loaded when the first of them comes. */
function groupsOf(connect: () => Connection): Grouping {
  let isRefused = false;
  const onRefused = (): void => {
    isRefused = true;
  };
  const writer = lazy(async () => (await import('./group.ts')).groupWriter(connect, onRefused));
  return {
    isUsable: () => !isRefused && hasName(connect),
    writeAll: async (writes, signal) => (await writer())(writes, signal),
  };
}

/** Whether the table has a plain name: no statement takes an ARN. If it has none at all, the write that is alone will say so. */
function hasName(connect: () => Connection): boolean {
  try {
    return !connect().TableName.startsWith('arn:');
  } catch {
    return false;
  }
}

// Only a function that commits needs it.
const transaction = lazy(() => import('./transaction.ts'));

// Only operators need it.
const scanning = lazy(() => import('./scan.ts'));

function recordTable(connect: () => Connection): Store {
  return {
    async write(write, abortSignal) {
      const to = connect();
      const input = { TableName: to.TableName, ...requestOf(write), ...HAND_BACK };
      const command = 'Item' in input ? new PutItemCommand(input) : new UpdateItemCommand(input);
      try {
        await sendOnce(command as PutItemCommand, (one) => to.client.send(one, { abortSignal }));
        return { done: true };
      } catch (error) {
        const { name, Item: item } = error as ConditionalCheckFailedException;
        if (name !== 'ConditionalCheckFailedException') throw storeError(error, to.TableName);
        return { done: false, found: item && toRecord(item as Item) };
      }
    },

    async transact(write, writes, signal) {
      const { client, TableName } = connect();
      try {
        const { transact } = await transaction();
        return await transact(client, { TableName, ...requestOf(write), ...HAND_BACK }, writes, signal);
      } catch (error) {
        throw storeError(error, TableName);
      }
    },

    check: (writes) => checkWrites(writes, connect().TableName),

    async read(id, signal) {
      const item = (await itemsOf(connect(), [id], signal)).get(id);
      return item && toRecord(item);
    },

    scan: async (scan, signal) => (await scanning()).scanned(connect(), scan, signal),
    total: async (signal) => (await scanning()).totalOf(connect(), signal),
  };
}

// A refusal brings the record in the way: no second request, and no read capacity.
const HAND_BACK = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

// A client sends to its own Region, whatever ARN the table is named by.
function regionIn(table: string | undefined): string | undefined {
  return /^arn:[^:]+:dynamodb:([^:]+):/.exec(table ?? '')?.[1];
}

function defaultClient(region: string | undefined): DynamoDBClient {
  return new DynamoDBClient({
    ...(region !== undefined && { region }),
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true },
  });
}
