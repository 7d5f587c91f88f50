import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type CreateTableCommandInput, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { freePort, type Server, startServer } from './server.ts';

/** A DynamoDB on this machine. */
export interface Engine {
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
}

/** What every client of a local AWS is given; nothing checks it. */
export const LOCAL = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
} as const;

export type TableSchema = Omit<CreateTableCommandInput, 'TableName'>;

/** Starts the embedded DynamoDB. `DYNAMODB_ENDPOINT` names a running one instead. */
export async function startDynamoDB(): Promise<Engine> {
  const given = process.env['DYNAMODB_ENDPOINT'];
  return given ? reachable(given) : startDynoxide();
}

/** On a free loopback port, in memory. */
export async function startDynoxide(): Promise<Engine & Server> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const server = await startServer({
    name: 'The embedded DynamoDB',
    command: binary(),
    args: ['--host', '127.0.0.1', '--port', `${port}`],
    answers: () => answers(endpoint),
    readyWithinMs: 10_000,
    missing:
      `There is no embedded DynamoDB for ${process.platform}-${process.arch}: put \`dynoxide\` on the PATH, or set ` +
      'DYNAMODB_ENDPOINT to a running DynamoDB Local.',
  });
  return { ...server, endpoint };
}

export function clientOf({ endpoint }: Pick<Engine, 'endpoint'>): DynamoDBClient {
  return new DynamoDBClient({ ...LOCAL, endpoint });
}

async function reachable(endpoint: string): Promise<Engine> {
  if (URL.canParse(endpoint) && (await answers(endpoint))) return { endpoint, stop: async () => {} };
  throw new Error(`No DynamoDB answers at DYNAMODB_ENDPOINT=${endpoint}: start one there, or unset the variable.`);
}

export async function answers(endpoint: string): Promise<boolean> {
  const client = new DynamoDBClient({ ...LOCAL, endpoint, maxAttempts: 1 });
  try {
    await client.send(new ListTablesCommand({}));
    return true;
  } catch {
    return false;
  } finally {
    client.destroy();
  }
}

function binary(): string {
  const name = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'dynoxide');
  } catch {
    return 'dynoxide'; // on the PATH
  }
}
