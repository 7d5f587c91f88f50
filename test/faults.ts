import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { engineClient } from './engine.ts';

type Command = 'PutItem' | 'UpdateItem' | 'TransactWriteItems' | 'BatchGetItem' | 'BatchExecuteStatement';
export type Fault = (apply: () => Promise<unknown>) => Promise<unknown>;

/** A real client of the embedded engine whose requests can be counted and go wrong. */
export interface FaultyClient {
  readonly client: DynamoDBClient;
  /** Tries of all commands. */
  readonly requests: () => number;
  /** What the next tries of a command meet, one each; the rest go through. */
  readonly next: (command: Command, ...faults: Fault[]) => void;
  /** From now on nothing goes wrong. */
  readonly clear: () => void;
}

export function faultyClient(): FaultyClient {
  const client = engineClient();
  const faults: Record<Command, Fault[]> = {
    PutItem: [],
    UpdateItem: [],
    TransactWriteItems: [],
    BatchGetItem: [],
    BatchExecuteStatement: [],
  };
  let requests = 0;
  client.middlewareStack.addRelativeTo(
    (next: any, context: { commandName?: string }) => (args: any) => {
      requests++;
      const command = context.commandName?.replace('Command', '') as Command;
      const fault: Fault = faults[command]?.shift() ?? ((apply) => apply());
      return fault(() => next(args)) as any;
    },
    { name: 'faults', relation: 'after', toMiddleware: 'retryMiddleware' },
  );
  return {
    client,
    requests: () => requests,
    next: (command, ...more) => faults[command].push(...more),
    clear: () => {
      for (const queue of Object.values(faults)) queue.length = 0;
    },
  };
}

/** The server applies the write, and its answer is lost: it is sent again. */
export const losesAnswer: Fault = async (apply) => {
  await apply().catch(() => {});
  throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET' });
};

/** The server applies the write, and nothing is ever heard of it. */
export const neverAnswers: Fault = async (apply) => {
  await apply().catch(() => {});
  return new Promise(() => {});
};

/** The server refuses, and nothing was written. */
export const refuses =
  (name: string): Fault =>
  async () => {
    throw Object.assign(new Error(name), { name, $metadata: {} });
  };

/** The server fails, and nothing was written, though nobody can know. */
export const fails: Fault = async () => {
  throw Object.assign(new Error('internal error'), { name: 'InternalServerError', $metadata: { httpStatusCode: 500 } });
};

/** The server fails, and then refuses for good: nobody can know whether the first try was written. */
export const isDown: readonly Fault[] = [fails, refuses('AccessDeniedException')];
