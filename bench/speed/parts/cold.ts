import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bundle, bundled } from '../../bundled.ts';
import { freshKey } from '../../events.ts';
import { bundleOf, HANDLERS, SDKS } from '../bundles.ts';
import { createTable, TABLE } from '../engine.ts';
import type { Started } from '../handlers/start.ts';
import type { Options } from '../part.ts';
import { shuffled } from '../rounds.ts';
import { spread } from '../statistics.ts';
import { type Cell, type Table, times } from '../table.ts';

const HERE = fileURLToPath(new URL('..', import.meta.url));
// Beneath node_modules, so that what is external is found from there.
const FOLDER = join(HERE, 'node_modules/.bundles');

interface Variant {
  readonly group: string;
  readonly name: string;
  readonly file: string;
  readonly starts: Started[];
}

/** Cold starts on the engine, in processes of their own: until the handler is there, and until it has answered. */
export async function* measure({ rounds }: Options): AsyncGenerator<Table> {
  await createTable(TABLE);
  const start = join(FOLDER, 'start.mjs');
  const entryPoints = ['handlers/start.ts'];
  write(await bundled({ entryPoints, absWorkingDir: HERE, outdir: FOLDER, outExtension: { '.js': '.mjs' } }));
  const variants: Variant[] = [];
  for (const sdk of SDKS) {
    for (const [kind, handlers] of Object.entries(HANDLERS)) {
      for (const [handler, name] of Object.entries(handlers)) {
        const outdir = join(FOLDER, sdk.replace(' ', '-'));
        write(await bundleOf(handler, sdk, outdir));
        variants.push({ group: `${kind}, ${sdk}`, name, file: join(outdir, `${handler}.mjs`), starts: [] });
      }
    }
  }
  for (let round = -1; round < rounds; round++) {
    for (const { file, starts } of shuffled(variants)) {
      const started = coldStart(start, file);
      if (round >= 0) starts.push(started);
    }
  }
  yield { title: 'Cold start, embedded engine', columns: COLUMNS, rows: rowsOf(variants) };
}

function write({ loaded, onDemand }: Bundle): void {
  for (const { file, contents } of [...loaded, ...onDemand]) {
    const path = join(HERE, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
}

function coldStart(start: string, bundle: string): Started {
  const env = {
    PATH: process.env['PATH'],
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_ENDPOINT_URL: process.env['DYNAMODB_ENDPOINT'],
    AWS_LAMBDA_FUNCTION_NAME: 'orders',
  };
  const child = spawnSync(process.execPath, [start, bundle, freshKey()], { env, encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

const COLUMNS = ['ready: ms', 'CPU ms', '× first', 'answered: ms', 'CPU ms', '× first'];

function rowsOf(variants: readonly Variant[]) {
  return variants.map(({ group, name, starts }) => {
    const base = variants.find((variant) => variant.group === group)?.starts ?? starts;
    const cells = (['ready', 'answered'] as const).flatMap((moment): Cell[] => {
      const cpu = starts.map((started) => started[moment].cpu);
      const baseCpu = base.map((started) => started[moment].cpu);
      return [spread(starts.map((started) => started[moment].wall)), spread(cpu), times(cpu, baseCpu)];
    });
    return { group, name, cells };
  });
}
