import { connect } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LOCAL } from '../../local/dynamodb.ts';
import { run } from '../../local/install.ts';
import { ENGINES } from './engines.ts';
import { PROBES } from './probes.ts';
import { tableOf } from './subject.ts';

/** Prints, in Markdown, what the engines do where they differ from each other or from AWS. */
async function main(): Promise<void> {
  const columns: string[][] = [];
  for (const engine of ENGINES) columns.push(await measure(engine));
  const rows: (readonly (string | undefined)[])[] = [
    ...PROBES.map(({ behaviour, documented = 'unsaid' }) => [behaviour, documented]),
    ['An address other than 127.0.0.1'],
    ['Start, about'],
    ['Memory after the start, and after all this'],
  ];
  const headings = ['Behaviour', 'AWS documents', ...ENGINES.map(({ name }) => name)];
  print(headings);
  print(headings.map(() => '---'));
  for (const [row, [behaviour = '', documented = '']] of rows.entries()) {
    const expected = PROBES[row]?.documented;
    const cells = columns.map((column) => column[row] ?? '');
    print([behaviour, documented, ...cells.map((cell) => (expected && cell !== expected ? `**${cell}**` : cell))]);
  }
}

function print(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

async function measure({ install, start }: (typeof ENGINES)[number]): Promise<string[]> {
  await install();
  const begun = Date.now();
  const { endpoint, pid, stop } = await start();
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  const client = new DynamoDBClient({ ...LOCAL, endpoint });
  try {
    const atFirst = await megabytes(pid);
    const subject = { client, endpoint, TableName: await tableOf(client) };
    const cells: string[] = [];
    for (const probe of PROBES) {
      cells.push(await probe.measure(subject).catch(({ name, message }) => `fails: ${name}: ${message}`));
    }
    const isOpen = await listens(Number(new URL(endpoint).port), '127.0.0.2');
    return [...cells, isOpen ? 'answers' : 'refuses', `${seconds} s`, `${atFirst}, ${await megabytes(pid)} MB`];
  } finally {
    client.destroy();
    await stop();
  }
}

async function megabytes(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', `${pid}`]);
  return Math.round(Number(stdout) / 1024);
}

function listens(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

await main();
