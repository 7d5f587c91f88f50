import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDBStoreOptions, dynamoDBStore, type Store } from 'effectively-once';
import { afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { createTable, engineClient } from './engine.ts';
import { type FaultyClient, faultyClient } from './faults.ts';
import { TIMEOUT_MS } from './ways.ts';

/** Where a history is played: a table of the embedded DynamoDB, faults on command, and a clock that only the test moves. */
export interface World {
  readonly aws: () => FaultyClient;
  readonly store: (options?: DynamoDBStoreOptions) => Store;
  readonly tableName: () => string;
  /** All that is in the table. */
  readonly items: () => Promise<Record<string, AttributeValue>[]>;
  readonly wait: (ms: number) => void;
}

/** All a lease of these tests can take: the invocation, and the clock skew. */
export const LEASE_MS = TIMEOUT_MS + 1_000;

/** To be called where tests are declared. One table serves all of them if each has keys of its own. */
export function worldOfTests(table: 'one table' | 'a table for each test'): World {
  let tableName: string;
  let aws: FaultyClient;
  const create = async (): Promise<void> => {
    tableName = await createTable(engineClient());
  };
  if (table === 'one table') beforeAll(create);
  else beforeEach(create);
  beforeEach(() => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    aws = faultyClient();
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    aws.client.destroy();
  });
  return {
    aws: () => aws,
    store: (options) => dynamoDBStore({ client: aws.client, tableName, cache: false, ...options }),
    tableName: () => tableName,
    items: async () => {
      const scan = new ScanCommand({ TableName: tableName, ConsistentRead: true });
      return (await aws.client.send(scan)).Items ?? [];
    },
    wait: (ms) => vi.setSystemTime(Date.now() + ms),
  };
}
