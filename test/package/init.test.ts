import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { run } from './project.ts';

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

  it('writes nothing where there is anything', () => {
    const folder = empty('init-full');
    writeFileSync(join(folder, 'index.ts'), '');
    const init = () => run(folder, 'npx', '--yes', `--package=${inject('tarball')}`, 'effectively-once', 'init');
    expect(init).toThrow(/init expects an empty folder; .* has index.ts/);
    expect(readdirSync(folder)).toEqual(['index.ts']);
  });
});
