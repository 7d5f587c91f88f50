import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CreateTableCommandInput, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';

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

/**
 * Starts the embedded DynamoDB on a free loopback port, in memory. `DYNAMODB_ENDPOINT` names a running one instead.
 * It dies with this process, unless that is killed with SIGKILL.
 */
export async function startDynamoDB(): Promise<Engine> {
  const given = process.env['DYNAMODB_ENDPOINT'];
  if (given) return reachable(given);
  const port = await freePort();
  const engine = spawn(binary(), ['--host', '127.0.0.1', '--port', `${port}`], { stdio: 'ignore' });
  const kill = (): boolean => engine.kill('SIGKILL');
  process.once('exit', kill);
  const endpoint = `http://127.0.0.1:${port}`;
  await ready(engine, endpoint);
  return {
    endpoint,
    stop: async () => {
      process.off('exit', kill);
      if (engine.exitCode !== null) return;
      const exited = new Promise((resolve) => engine.once('exit', resolve));
      kill();
      await exited;
    },
  };
}

export function clientOf({ endpoint }: Pick<Engine, 'endpoint'>): DynamoDBClient {
  return new DynamoDBClient({ ...LOCAL, endpoint });
}

async function reachable(endpoint: string): Promise<Engine> {
  const client = URL.canParse(endpoint) ? clientOf({ endpoint }) : undefined;
  const answers = await client?.send(new ListTablesCommand({})).catch(() => undefined);
  client?.destroy();
  if (answers) return { endpoint, stop: async () => {} };
  throw new Error(`No DynamoDB answers at DYNAMODB_ENDPOINT=${endpoint}: start one there, or unset the variable.`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function binary(): string {
  const name = `@dynoxide/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'dynoxide');
  } catch {
    return 'dynoxide'; // on the PATH
  }
}

async function ready(engine: ChildProcess, endpoint: string): Promise<void> {
  const failed = new Promise<never>((_, reject) => {
    engine.once('error', () =>
      reject(
        new Error(
          `There is no embedded DynamoDB for ${process.platform}-${process.arch}: put \`dynoxide\` on the PATH, or set ` +
            'DYNAMODB_ENDPOINT to a running DynamoDB Local.',
        ),
      ),
    );
    engine.once('exit', (code) =>
      reject(new Error(`The embedded DynamoDB ended with code ${code} before it was ready.`)),
    );
  });
  failed.catch(() => {});
  const client = clientOf({ endpoint });
  for (let tries = 0; tries < 100; tries++) {
    const up = await Promise.race([client.send(new ListTablesCommand({})).catch(() => sleep(20)), failed]);
    if (up) return client.destroy();
  }
  throw new Error(`The embedded DynamoDB did not answer at ${endpoint}.`);
}
