import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

/** Imports by room: what leads down, and what leads back up, aside, or out of the house. */
const ROOMS: readonly [file: string, allowed: readonly string[], forbidden: readonly string[]][] = [
  ['src/core/decide.ts', ['./record.ts', 'node:crypto'], ['../options.ts', '../run/begin.ts', 'node:util', 'ky']],
  ['src/environment.ts', ['./core/errors.ts'], ['./options.ts', './run/begin.ts', '@aws-sdk/client-dynamodb']],
  ['src/execution.ts', ['./core/store.ts'], ['./options.ts', './run/begin.ts']],
  ['src/options.ts', ['./values/codec.ts', './environment.ts'], ['./run/begin.ts', './batch.ts', './stores/memory.ts']],
  ['src/values/codec.ts', ['../core/errors.ts', 'node:v8'], ['../options.ts', '../run/begin.ts', '../stores/cache.ts']],
  [
    'src/sources/http.ts',
    ['./plain.ts', './batch/sqs.ts', '../core/identity.ts'],
    ['../options.ts', '../run/begin.ts', '../batch.ts'],
  ],
  ['src/sources/batch/sqs.ts', ['../plain.ts', '../../core/identity.ts'], ['../../batch.ts', '../../run/begin.ts']],
  [
    'src/run/lease.ts',
    ['./steps.ts', '../core/errors.ts'],
    ['../batch.ts', '../stores/memory.ts', '../sources/http.ts'],
  ],
  ['src/stores/cache.ts', ['../core/store.ts'], ['../run/begin.ts', './dynamodb/item.ts', '@aws-sdk/client-dynamodb']],
  ['src/stores/dynamodb/index.ts', ['../cache.ts', '../../environment.ts'], ['../../options.ts', '../../run/begin.ts']],
  ['src/client/call.ts', ['./asked.ts'], ['../core/duration.ts', '../index.ts', 'node:crypto', 'ky']],
  [
    'src/operator/resolve.ts',
    ['../values/outcome.ts', '../sources/all.ts', '../stores/dynamodb/item.ts'],
    ['../run/begin.ts', '../stores/memory.ts', '../options.ts', '../stores/dynamodb/index.ts'],
  ],
  [
    'src/observe/emf.ts',
    ['./calls.ts', '../core/events.ts', '../environment.ts'],
    ['../options.ts', '../run/begin.ts', '../sources/http.ts', '@opentelemetry/sdk-trace-base'],
  ],
  [
    'src/batch.ts',
    ['./run/begin.ts', './sources/batch/sqs.ts'],
    ['./idempotent.ts', './stores/memory.ts', '@middy/core'],
  ],
  ['src/middy/index.ts', ['../run/begin.ts', '@middy/core'], ['../idempotent.ts', '../stores/memory.ts']],
  ['src/index.ts', ['./batch.ts', './stores/memory.ts'], ['./middy/index.ts', './operator/index.ts', '@middy/core']],
  [
    'src/testing/faulty.ts',
    ['../core/store.ts', '../stores/dynamodb/writes.ts'],
    ['../run/begin.ts', '../stores/dynamodb/index.ts', 'vitest'],
  ],
  [
    'lib/facts.ts',
    ['../src/core/duration.ts', '../src/environment.ts', '../src/observe/metrics.ts'],
    ['../src/core/decide.ts', '../src/observe/emf.ts', '@aws-sdk/client-dynamodb'],
  ],
  ['lib/idempotency-table.ts', ['../src/stores/dynamodb/item.ts'], ['../src/run/begin.ts', '../src/index.ts']],
  [
    'cli/init.ts',
    ['node:fs', './index.ts'],
    ['../src/index.ts', '../src/run/begin.ts', '../lib/index.ts', 'aws-cdk-lib'],
  ],
  [
    'cli/console/reading.ts',
    ['./wire.ts', '../json.ts', '../../src/operator/list.ts', 'hono', 'node:fs'],
    ['../program.ts', '../../src/stores/memory.ts', '../../src/index.ts', '@aws-sdk/client-dynamodb', 'preact'],
  ],
  [
    'console/table.tsx',
    ['./search.tsx', '../cli/console/wire.ts', '../src/operator/state.ts', 'preact/hooks'],
    ['../cli/console/app.ts', '../src/core/decide.ts', 'node:fs', 'hono', 'esbuild'],
  ],
  ['console/build.ts', ['esbuild', 'node:fs'], ['./main.tsx', 'preact', '../cli/console.ts']],
  ['bin/app.ts', ['../lib/index.ts'], ['../src/index.ts']],
  ['examples/orders/order.ts', ['effectively-once'], ['../../src/index.ts']],
];

/** Where a rule of the linter is broken by files of these names with these imports. */
function brokenIn(files: ReadonlyMap<string, readonly string[]>, rule = 'style/noRestrictedImports'): string[] {
  const house = realpathSync(mkdtempSync(join(tmpdir(), 'effectively-once-rooms-')));
  try {
    copyFileSync('biome.json', join(house, 'biome.json'));
    for (const [file, imports] of files) {
      const lines = imports.map(
        (from, n) => `import type { A as A${n} } from '${from}';\nexport type B${n} = A${n};\n`,
      );
      mkdirSync(dirname(join(house, file)), { recursive: true });
      writeFileSync(join(house, file), lines.join(''));
    }
    const command = [
      'lint',
      `--only=${rule}`,
      '--vcs-enabled=false',
      '--max-diagnostics=none',
      '--reporter=github',
      '.',
    ];
    const { status, output } = run(resolve('node_modules/.bin/biome'), command, house);
    expect([0, 1]).toContain(status);
    return [...output.matchAll(/file=([^,]+),line=(\d+)/g)].map(
      ([, file = '', line]) => `${relative(house, file)}:${line}`,
    );
  } finally {
    rmSync(house, { recursive: true });
  }
}

function run(command: string, args: readonly string[], cwd: string): { status: number; output: string } {
  try {
    return { status: 0, output: execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' }) };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { status, output: stdout + stderr };
  }
}

it('what a room may import passes the lint', () => {
  expect(brokenIn(new Map(ROOMS.map(([file, allowed]) => [file, allowed])))).toEqual([]);
});

it('an import that leads back up, aside, or out of the house fails it', () => {
  const expected = ROOMS.flatMap(([file, , forbidden]) => forbidden.map((_, n) => `${file}:${2 * n + 1}`));
  const found = brokenIn(new Map(ROOMS.map(([file, , forbidden]) => [file, forbidden])));
  expect(found.sort()).toEqual(expected.sort());
});

it('a circle fails it, also one of types', () => {
  const circle = new Map([
    ['src/run/steps.ts', ['./lease.ts']],
    ['src/run/lease.ts', ['./commit.ts']],
    ['src/run/commit.ts', ['./steps.ts']],
  ]);
  expect(brokenIn(circle, 'suspicious/noImportCycles')).toHaveLength(3);
});
