import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const run = (cwd: string, command: string, ...args: string[]) => execFileSync(command, args, { cwd, encoding: 'utf8' });

describe('the packed tarball', () => {
  let project: string;
  let files: string[];
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'effectively-once-'));
    const [packed] = JSON.parse(run(root, 'npm', 'pack', '--json', '--silent', '--pack-destination', project));
    files = packed.files.map(({ path }: { path: string }) => path);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    for (const file of ['consumer.ts', 'handler.ts'])
      copyFileSync(join(root, 'test/package', file), join(project, file));
    const versions = [
      '@aws-sdk/client-dynamodb',
      '@middy/core',
      'aws-cdk-lib',
      'constructs',
      'typescript',
      '@types/node',
      'esbuild',
    ].map((name) => `${name}@${manifest.devDependencies[name]}`);
    run(project, 'npm', 'install', '--silent', '--no-audit', '--no-fund', `./${packed.filename}`, ...versions);
  }, 300_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it('holds what users need, and nothing else', () => {
    expect(files.filter((file) => !file.startsWith('dist/')).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'openapi/idempotency.yaml',
      'package.json',
    ]);
    expect(files.filter((file) => /orders|bin\/|examples|demo|local|test\//.test(file))).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining(['dist/src/index.d.ts', 'dist/src/middy/index.js', 'dist/lib/index.js']),
    );
  });

  it('type-checks in an empty project, from every subpath', () => {
    const options = [
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--skipLibCheck',
      '--types',
      'node',
      '--noEmit',
    ];
    expect(run(project, 'npx', 'tsc', ...options, '--allowImportingTsExtensions', 'consumer.ts', 'handler.ts')).toBe(
      '',
    );
  });

  it('runs there, and its constructs synthesize a bundle of it', () => {
    const { answers, value, id, isSafe, isKeyed, attempts, points } = JSON.parse(
      run(project, 'node', 'consumer.ts').trim().split('\n').at(-1) ?? '',
    );
    expect({ value, isKeyed, attempts }).toEqual({ value: 7, isKeyed: true, attempts: 1 });
    expect(id).toMatch(/^s#/);
    expect({ isSafe, points }).toEqual({
      isSafe: false,
      points: ['crash after charge', 'crash before the completion'],
    });
    expect(answers).toEqual([
      { statusCode: 200, body: '1' },
      { statusCode: 200, body: '1', headers: { 'Idempotent-Replayed': 'true' } },
    ]);
    const assets = readdirSync(join(project, 'cdk.out')).filter((name) => name.startsWith('asset.'));
    const bundles = assets.map((asset) => readFileSync(join(project, 'cdk.out', asset, 'index.mjs'), 'utf8'));
    expect(bundles).toHaveLength(1);
    expect(bundles[0]).toContain('effectively-once');
    const bundle = `./cdk.out/${assets[0]}/index.mjs`;
    expect(
      run(project, 'node', '-p', `import('${bundle}').then(({ handler }) => console.log(typeof handler))`),
    ).toContain('function');
  });
});
