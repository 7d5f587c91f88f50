import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ScanCommand, UpdateItemCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { inject } from 'vitest';
import { LOCAL } from '../../local/dynamodb.ts';
import { TTL_ATTRIBUTE } from '../../src/stores/dynamodb/item.ts';
import { createTable, engineClient } from '../engine.ts';
import type { Told } from './run.ts';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const NODE = ['--conditions=effectively-once-source', '--disable-warning=ExperimentalWarning'];

/** What a process said, and how it ended. */
export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const client = engineClient();

/** A table as IdempotencyTable makes it, as far as the engine goes. */
export async function newTable(): Promise<string> {
  const TableName = await createTable(client);
  const TimeToLiveSpecification = { AttributeName: TTL_ATTRIBUTE, Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  return TableName;
}

/** All items, to see that nothing was written. */
export async function itemsIn(TableName: string): Promise<unknown[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  return Items.sort((a, b) => `${a['id']?.S}`.localeCompare(`${b['id']?.S}`));
}

/** What a terminal would have in its environment. */
function environment(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    AWS_REGION: LOCAL.region,
    AWS_ACCESS_KEY_ID: LOCAL.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL.credentials.secretAccessKey,
    ...more,
  };
}

interface Around {
  readonly env?: NodeJS.ProcessEnv;
  /** What is piped in. */
  readonly input?: string;
  /** Nobody reads what it says. */
  readonly closed?: 'stdout' | 'stderr';
}

/** Calls the command as from a shell, without a terminal. */
export async function command(args: readonly string[], { env = {}, input = '', closed }: Around = {}): Promise<Said> {
  const child = spawn(process.execPath, [...NODE, pathOf('../../cli/index.ts'), ...args], { env: environment(env) });
  if (closed) child[closed].destroy();
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** The command on a table of the embedded engine. */
export const on =
  (table: string) =>
  (...args: readonly string[]): Promise<Said> =>
    command([...args, '--table', table, '--endpoint-url', inject('endpoint')]);

/**
 * A run in a process of its own; one that hangs is killed there, as by a crash. Unless its lease is given, that is over then: it is moved back, which
 * is faster than to wait for it, and no slow machine loses it. Gives what it said.
 */
export async function run(told: Omit<Told, 'endpoint' | 'lease'> & Partial<Pick<Told, 'lease'>>): Promise<string> {
  const { lease = '60s' } = told;
  const all: Told = { ...told, lease, endpoint: inject('endpoint') };
  const child = spawn(process.execPath, [...NODE, pathOf('run.ts'), JSON.stringify(all)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
    if (said.includes('hanging')) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  if ((told.end === 'hang') !== (signal === 'SIGKILL')) throw new Error(`it ended by ${signal}: ${said}`);
  if (signal && told.lease === undefined) await endLease(told);
  return said.trim();
}

async function endLease({ table, key }: Pick<Told, 'table' | 'key'>): Promise<void> {
  const items = (await itemsIn(table)) as any[];
  const held = items.find(({ identity, owner }) => owner && identity?.M.key.S === key);
  await client.send(
    new UpdateItemCommand({
      TableName: table,
      Key: { id: held.id },
      UpdateExpression: 'SET leaseUntil = :past',
      ExpressionAttributeValues: { ':past': { N: `${Date.now() - 1}` } },
    }),
  );
}
