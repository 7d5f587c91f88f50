import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { standIn } from './stand-in.ts';
import { command, newTable, run } from './world.ts';

const PAGE = fileURLToPath(new URL('../../docs/operate.md', import.meta.url));
const BLOCK = /```console\n([\s\S]*?)```/g;
const COMMAND = /^\$ npx effectively-once (.*)$/gm;

const page = readFileSync(PAGE, 'utf8');
const blocks = [...page.matchAll(BLOCK)].map(([, text = '']) => text);

let env: NodeJS.ProcessEnv;
let stop: () => Promise<void>;
beforeAll(async () => {
  const table = await newTable();
  const PointInTimeRecoveryDescription = { PointInTimeRecoveryStatus: 'ENABLED' };
  const aws = await standIn({
    'GET /2015-03-31/functions': { body: { Functions: [functionOn(table)] } },
    'GET /2019-09-30/functions/charge/concurrency': { body: {} },
    'GET /2015-03-31/functions/charge/aliases': { body: { Aliases: [] } },
    'GET /2015-03-31/event-source-mappings': { body: { EventSourceMappings: [] } },
    'DynamoDB_20120810.DescribeContinuousBackups': {
      body: { ContinuousBackupsDescription: { PointInTimeRecoveryDescription } },
    },
  });
  stop = aws.stop;
  env = { IDEMPOTENCY_TABLE: table, AWS_ENDPOINT_URL: aws.url };
  await run({ table, key: 'order-1', end: 'return' });
  await run({ table, key: 'order-2', end: 'hang', onUnknown: 'refuse' });
  await run({ table, key: 'order-3', end: 'hang' });
  await run({ table, key: 'order-4', end: 'hang', lease: '900s' });
  await run({ table, key: 'order-5', end: 'decline' });
  await run({ table, key: 'order-7', end: 'hang', caller: 'alice', onUnknown: 'refuse' });
});
afterAll(() => stop());

const functionOn = (table: string) => ({
  FunctionName: 'charge',
  Runtime: 'nodejs20.x',
  Timeout: 30,
  Environment: { Variables: { IDEMPOTENCY_TABLE: table } },
});

/** What a block says when its commands are called now. */
async function called(block: string): Promise<string> {
  let text = '';
  for (const [line, args = ''] of block.matchAll(COMMAND)) {
    const { out, err } = await command(wordsOf(args), { env });
    text += `${line}\n${err}${out}`;
  }
  return text.replaceAll(`${env['IDEMPOTENCY_TABLE']}`, 'idempotency');
}

/** As a shell takes them apart. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** Without what is another one each time: instants, how far away they are, and the width of columns. */
function comparable(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
    .replaceAll(/(\d+ (s|min|h|d))\b/g, 'LONG')
    .replaceAll(/\((in )?LONG( ago)?\)/g, '(AWAY)')
    .replaceAll(/[\d.]+ read units/g, 'N read units')
    .replaceAll(/ +/g, ' ');
}

it('the page shows what its commands say, in this order', async () => {
  const now: string[] = [];
  for (const block of blocks) now.push(await called(block));
  // `UPDATE_DOCS=1 npm run test:operate` writes them anew.
  if (process.env['UPDATE_DOCS']) {
    const next = now.values();
    writeFileSync(
      PAGE,
      page.replace(BLOCK, () => `\`\`\`console\n${next.next().value}\`\`\``),
    );
  } else expect(blocks.map(comparable)).toEqual(now.map(comparable));
}, 180_000);
