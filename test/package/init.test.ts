import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { run, writeAll } from './project.ts';

const empty = (name: string): string => mkdtempSync(join(inject('projects'), `${name}-`));
const PNPM = ['npx', '--yes', 'pnpm@12'] as const;

describe('npx effectively-once init, in an empty folder', () => {
  it('makes a project that installs, tests and synthesizes with npm', () => {
    const folder = empty('init-npm');
    run(folder, 'npx', '--yes', `--package=${inject('tarball')}`, 'effectively-once', 'init');
    run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
    const told = run(folder, 'npm', 'test');
    expect(told).toMatch(/pass 2/);
    // A timer of 30 s that a crashed run has left behind would keep the process.
    expect(Number(/duration_ms (\d+)/.exec(told)?.[1])).toBeLessThan(20_000);
    run(folder, 'npx', 'cdk', 'synth', '--quiet');
    expect(existsSync(join(folder, 'cdk.out/Shop.template.json'))).toBe(true);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['.gitignore', 'package.json', 'README.md']));
    expect(readdirSync(folder).filter((name) => name.includes('template'))).toEqual([]);
  });

  it('makes one that does so with pnpm, beside what was installed before', () => {
    const folder = empty('init-pnpm');
    writeFileSync(join(folder, 'package.json'), '{ "name": "mine" }');
    run(folder, ...PNPM, 'add', inject('tarball'), '--prefer-offline');
    run(folder, ...PNPM, 'exec', 'effectively-once', 'init');
    run(folder, ...PNPM, 'install', '--no-frozen-lockfile', '--prefer-offline');
    expect(run(folder, ...PNPM, 'test')).toMatch(/pass 2/);
    run(folder, ...PNPM, 'run', 'synth');
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name).toBe('mine');
  });

  const init = (folder: string) =>
    run(folder, 'npx', '--yes', `--package=${inject('tarball')}`, 'effectively-once', 'init');

  it.each(['index.ts', 'tsconfig.json', 'cdk.json', '.env'])('writes nothing where there is %s', (name) => {
    const folder = empty('init-full');
    writeFileSync(join(folder, name), '');
    expect(() => init(folder)).toThrow(`init expects an empty folder; ${folder} has ${name}`);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it('keeps what package managers, macOS and editors put into a folder, and says so', () => {
    const folder = empty('init-kept');
    const kept = [
      ...['.npmrc', 'package-lock.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.pnpmfile.cjs'],
      ...['yarn.lock', '.yarnrc.yml', '.yarn/install-state.gz', '.pnp.cjs', '.pnp.loader.mjs', 'bun.lock', 'bun.lockb'],
      ...['.DS_Store', '.vscode/settings.json', '.idea/modules.xml', '.editorconfig', '.nvmrc', '.node-version'],
      ...['.gitattributes', '.github/dependabot.yml', 'LICENSE', 'README.md'],
    ];
    writeAll(folder, Object.fromEntries(kept.map((name) => [name, `my ${name}`])));
    expect(init(folder)).toContain('Kept as they were: README.md, pnpm-workspace.yaml');
    for (const name of kept) expect(readFileSync(join(folder, name), 'utf8')).toBe(`my ${name}`);
    expect(existsSync(join(folder, 'lib/shop-stack.ts'))).toBe(true);
  });

  it.each([
    ['a last line that ends', 'dist/\ncdk.out/\n', 'dist/\ncdk.out/\nnode_modules/\n'],
    ['one that does not', '*.log', '*.log\nnode_modules/\ncdk.out/\n'],
    ['lines of Windows', 'node_modules/\r\ncdk.out/\r\n', 'node_modules/\r\ncdk.out/\r\n'],
  ])('adds to a .gitignore what it lacks, behind %s', (_, present, expected) => {
    const folder = empty('init-ignored');
    writeFileSync(join(folder, '.gitignore'), present);
    init(folder);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe(expected);
  });

  it('adds to a package.json what it lacks, in place of the placeholders of npm init', () => {
    const folder = empty('init-manifest');
    const mine = {
      name: 'mine',
      version: '4.5.6',
      license: 'MIT',
      packageManager: 'yarn@4.9.0',
      type: 'commonjs',
      scripts: { test: 'echo "Error: no test specified" && exit 1', synth: 'my synth', lint: 'my lint' },
      dependencies: { zod: '^4.0.0', '@middy/core': '7.0.0' },
      devDependencies: { esbuild: '0.28.0' },
      engines: { node: '>=22.15' },
    };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(mine));
    init(folder);
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
      ...mine,
      type: 'module',
      scripts: { ...mine.scripts, test: expect.stringContaining('node --test'), deploy: 'cdk deploy' },
      dependencies: { ...mine.dependencies, '@aws-sdk/client-dynamodb': expect.any(String) },
      devDependencies: { ...mine.devDependencies, 'aws-cdk-lib': expect.any(String) },
    });
  });
});
