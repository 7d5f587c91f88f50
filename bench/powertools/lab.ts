import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Context } from 'aws-lambda';
import { clientOf, type Engine } from '../../local/dynamodb.ts';
import type { Library, Opened } from './library.ts';

/** Where one history is played with one library: a table of its own, and a clock that the history moves. */
export interface Lab extends Opened {
  readonly library: Library;
  /** Another store on the same table. */
  readonly open: (options?: { hasCache?: boolean }) => Opened;
  readonly wait: (ms: number) => void;
  readonly context: (timeoutMs?: number) => Context;
  /** The answer to the next attempt of a command is lost after it was carried out. */
  readonly loseAnswer: (command: string) => void;
  /** The store fails these commands until what is returned is called. */
  readonly takeDown: (...commands: string[]) => () => void;
}

/** Ms an invocation has. */
export const TIMEOUT_MS = 10_000;
/** Ms after which every lease of a run that died is over. */
export const LEASE_MS = TIMEOUT_MS + 2_000;

/** A history, played. */
export interface Finding {
  readonly isSafe: boolean;
  readonly saw: string;
}

let offset = 0;
const now = Date.now;
Date.now = () => now() + offset;

export async function labOf(library: Library, engine: Engine): Promise<{ lab: Lab; close: () => void }> {
  const { client, ...faults } = faulty(clientOf(engine));
  const tableName = crypto.randomUUID();
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    }),
  );
  const open: Lab['open'] = (options) => library.open({ client, tableName, ...options });
  const lab: Lab = {
    ...open(),
    library,
    open,
    ...faults,
    wait: (ms) => {
      offset += ms;
    },
    context: (timeoutMs = TIMEOUT_MS) => {
      const deadline = Date.now() + timeoutMs;
      const left = (): number => Math.max(0, deadline - Date.now());
      return { functionName: 'orders', getRemainingTimeInMillis: left } as Context;
    },
  };
  return { lab, close: () => client.destroy() };
}

type Fault = (apply: () => Promise<unknown>) => Promise<never>;

function faulty(client: DynamoDBClient): Pick<Lab, 'loseAnswer' | 'takeDown'> & { client: DynamoDBClient } {
  const faults = new Map<string, Fault>();
  const lost = () =>
    Object.assign(new Error('connection lost'), { code: 'ECONNRESET', $metadata: { httpStatusCode: 500 } });
  client.middlewareStack.addRelativeTo(
    (next: any, { commandName = '' }: { commandName?: string }) =>
      (args: any) =>
        faults.get(commandName.replace('Command', ''))?.(() => next(args)) ?? next(args),
    { name: 'faults', relation: 'after', toMiddleware: 'retryMiddleware' },
  );
  return {
    client,
    loseAnswer: (command) =>
      faults.set(command, async (apply) => {
        faults.delete(command);
        await apply().catch(() => {});
        throw lost();
      }),
    takeDown: (...commands) => {
      for (const command of commands) faults.set(command, () => Promise.reject(lost()));
      return () => faults.clear();
    },
  };
}
