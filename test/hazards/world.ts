import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { Context } from 'aws-lambda';
import { type DynamoDBStoreOptions, dynamoDBStore, type IdempotencyError, type Store } from 'effectively-once';
import { afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { createTable, engineClient } from '../engine.ts';
import { type FaultyClient, faultyClient } from '../faults.ts';
import { lambdaContext, TIMEOUT_MS } from '../ways.ts';

/** Where a hazard's history is played: a table of the embedded DynamoDB, and a clock that only the test moves. */
export interface World {
  readonly aws: () => FaultyClient;
  readonly store: (options?: DynamoDBStoreOptions) => Store;
  readonly tableName: () => string;
  readonly records: () => Promise<Record<string, unknown>[]>;
  readonly wait: (ms: number) => void;
}

/** All a lease of these tests can take: the invocation, and the clock skew. */
export const LEASE_MS = TIMEOUT_MS + 1_000;

export function worldOfTests(): World {
  let tableName: string;
  let aws: FaultyClient;
  beforeAll(() => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    vi.spyOn(console, 'error').mockImplementation(() => {});
  });
  beforeEach(async () => {
    tableName = await createTable(engineClient());
    aws = faultyClient();
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
    aws.client.destroy();
  });
  return {
    aws: () => aws,
    store: (options) => dynamoDBStore({ client: aws.client, tableName, cache: false, ...options }),
    tableName: () => tableName,
    records: async () => (await aws.client.send(new ScanCommand({ TableName: tableName }))).Items ?? [],
    wait: (ms) => vi.setSystemTime(Date.now() + ms),
  };
}

export interface Order {
  readonly orderId: string;
  readonly amount?: number;
}

/** What a caller sees of a call: its value, an error's code, or an error that has none. */
export async function seen(answer: Promise<unknown>): Promise<unknown> {
  return answer.catch((error: IdempotencyError) => error?.code ?? error);
}

/** The crash of a process: it enters the handler and is never heard of again. */
export async function dies(call: (handler: () => Promise<never>) => unknown): Promise<void> {
  const entered = Promise.withResolvers<void>();
  call(() => {
    entered.resolve();
    return new Promise(() => {});
  });
  await entered.promise;
}

/** A handler that stops in every run until the test lets it go on. */
export function stoppable<Result = unknown>() {
  let runs = 0;
  let enter = (_: PromiseWithResolvers<Result>): void => {};
  return {
    runs: () => runs,
    handler: (): Promise<Result> => {
      runs++;
      const gate = Promise.withResolvers<Result>();
      enter(gate);
      return gate.promise;
    },
    /** Begins a call and comes back when it is inside the handler. */
    begin: async <Answer>(call: () => Promise<Answer>) => {
      const entered = new Promise<PromiseWithResolvers<Result>>((resolve) => {
        enter = resolve;
      });
      const answer = call();
      answer.catch(() => {});
      const { resolve, reject } = await entered;
      return { answer, resolve, reject };
    },
  };
}

/** The context of a durable function, as far as one is known by it. */
export function durableContext(): Context {
  return Object.assign(lambdaContext(), {
    lambdaContext: lambdaContext(),
    step: () => {},
    durableExecutionMode: 'ReplayMode',
  });
}
