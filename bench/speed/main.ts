import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startDynamoDB } from '../../local/dynamodb.ts';
import { draw } from './draw.ts';
import { installOurs } from './install.ts';
import { type Options, PARTS, type Part } from './part.ts';
import type { Table } from './table.ts';

/**
 * `npm run bench [-- PART… --rounds N --records N]`: the packed package beside bare SDK calls and Powertools. What it measures are
 * times, and times fail nobody.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '11' }, records: { type: 'string', default: '100000' } },
});
const options: Options = { rounds: Number(values.rounds), records: Number(values.records) };
const unknown = positionals.filter((name) => !PARTS.includes(name as Part));
if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}: there are ${PARTS.join(', ')}`);
const parts = PARTS.filter((part) => positionals.length === 0 || positionals.includes(part));

installOurs();
const tables: Partial<Record<Part, readonly Table[]>> = {};
const setup = { at: new Date().toISOString(), machine: machine(), versions: versions(), options };
console.log(JSON.stringify(setup, undefined, 2));
for (const part of parts) {
  const from = performance.now();
  console.log(`\n== ${part}`);
  tables[part] = await measured(part);
  console.log(
    `\n   ${part} took ${((performance.now() - from) / 1_000).toFixed(0)} s; load ${loadavg()[0]?.toFixed(1)}`,
  );
}
writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify({ ...setup, tables }, undefined, 2)}\n`);
if (parts.length === PARTS.length) {
  writeFileSync(new URL('../../docs/speed.svg', import.meta.url), await draw(tables, setup.versions));
}

async function measured(part: Part): Promise<readonly Table[]> {
  const engine = await startDynamoDB();
  const env = { ...process.env, DYNAMODB_ENDPOINT: engine.endpoint };
  const execArgv = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--disable-warning=IdempotencyWarning'];
  const child = fork(new URL('part.ts', import.meta.url), [part, JSON.stringify(options)], { env, execArgv });
  const found: Table[] = [];
  child.on('message', (table: Table) => found.push(table));
  const [code] = await once(child, 'exit');
  await engine.stop();
  if (code !== 0) throw new Error(`the part ${part} could not be measured`);
  return found;
}

function machine(): Record<string, string | number> {
  return { cpu: `${arch()}, ${cpus()[0]?.model}`, cores: availableParallelism(), load: loadavg()[0] ?? 0 };
}

function versions(): Record<string, string> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const installed = ['@aws-lambda-powertools/idempotency', '@aws-sdk/client-dynamodb', '@middy/core'].map((name) => {
    const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url);
    return [name, JSON.parse(readFileSync(manifest, 'utf8')).version];
  });
  return { 'effectively-once': commit, node: process.version, ...Object.fromEntries(installed) };
}
