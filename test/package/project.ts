import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// Nothing of what an npm script sets, nor this repository's own binaries: a user has none of them. But its Node.
const inherited = Object.entries(process.env).filter(
  ([name]) => !/^(npm_(?!config_)|NODE_(?!EXTRA_CA)|VITEST|INIT_CWD)/i.test(name),
);
const path = (process.env['PATH'] ?? '').split(delimiter).filter((part) => !part.includes('node_modules/.bin'));
const env = {
  ...Object.fromEntries(inherited),
  PATH: [dirname(process.execPath), ...path].join(delimiter),
  CI: '1',
  NO_COLOR: '1',
};

/** Runs a command to its end; throws with all that it said. */
export function run(cwd: string, command: string, ...args: readonly string[]): string {
  try {
    return execFileSync(command, args, { cwd, env, encoding: 'utf8', input: '', maxBuffer: 2 ** 26, timeout: 230_000 });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  }
}

/** A project of a user, with the tarball among its dependencies. */
export function projectOf(
  name: string,
  dependencies: Versions,
  files: Record<string, string>,
  more: object = {},
): string {
  const project = mkdtempSync(join(inject('projects'), `${name}-`));
  const all = { 'effectively-once': `file:${inject('tarball')}`, ...dependencies };
  const own = { name, private: true, type: 'module', dependencies: all, ...more };
  writeAll(project, { 'package.json': JSON.stringify(own, null, 2), ...files });
  return project;
}

export type Versions = Readonly<Record<string, string>>;

export function writeAll(project: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), text);
  }
}

export function npmInstall(project: string, ...args: readonly string[]): void {
  run(project, 'npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', ...args);
}

/** The versions that this repository is developed with. */
export function ours(...names: readonly string[]): Versions {
  return Object.fromEntries(names.map((name) => [name, manifest.devDependencies[name]]));
}
