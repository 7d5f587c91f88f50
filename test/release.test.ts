import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let checkout: string;
beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'effectively-once-release-'));
  mkdirSync(join(checkout, 'release'));
  for (const file of ['check.ts', 'manifest.ts']) cpSync(`release/${file}`, join(checkout, 'release', file));
});
afterEach(() => rmSync(checkout, { recursive: true }));

const GOOD = {
  name: 'mine',
  version: '1.2.3',
  repository: { url: 'git+https://git.example.com/mine.git' },
  publishConfig: { access: 'public', provenance: true },
  files: ['dist'],
};

/** What the release script says of a checkout. */
function said(manifest: object, files: Readonly<Record<string, string>> = {}): string {
  const all = {
    'package.json': JSON.stringify(manifest),
    'package-lock.json': JSON.stringify({ version: '1.2.3' }),
    'CHANGELOG.md': '# Changelog\n\n## 1.2.3, 2026-11-26\n',
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(checkout, name)), { recursive: true });
    writeFileSync(join(checkout, name), text);
  }
  const git = (...args: readonly string[]) => spawnSync('git', args, { cwd: checkout });
  git('init');
  git('add', '.');
  git('-c', 'user.name=A', '-c', 'user.email=a@example.com', 'commit', '-m', 'All');
  if (files['later.txt']) writeFileSync(join(checkout, 'later.txt'), 'changed');
  const { stdout, stderr } = spawnSync(process.execPath, ['release/check.ts'], { cwd: checkout, encoding: 'utf8' });
  return stdout + stderr;
}

describe('npm run release', () => {
  it('names the tarball, and how to publish just that', () => {
    expect(said(GOOD)).toMatch(/✓ mine-1.2.3.tgz: 1 files[\s\S]*npm publish mine-1.2.3.tgz --provenance/);
  });

  it('accepts all that this package is published with', () => {
    const { files } = JSON.parse(readFileSync('package.json', 'utf8'));
    const folders = files.filter((path: string) => !path.endsWith('.md'));
    const some = [...folders.map((folder: string) => `${folder}/some`), 'SECURITY.md', 'README.md', 'LICENSE'];
    const told = said({ ...GOOD, files }, Object.fromEntries(some.map((path) => [path, ''])));
    expect(told).toContain(`✓ mine-1.2.3.tgz: ${some.length + 2} files`);
  });

  it.each<[string, object, Record<string, string>, RegExp]>([
    ['changes that are not committed', GOOD, { 'later.txt': 'as it was' }, /work tree has changes/],
    ['another version in the lockfile', GOOD, { 'package-lock.json': '{"version":"1.2.2"}' }, /another version/],
    [
      'a changelog of no release',
      GOOD,
      { 'CHANGELOG.md': '## 1.2.3, unreleased\n' },
      /begins with "1.2.3, unreleased"/,
    ],
    ['a changelog of another release', GOOD, { 'CHANGELOG.md': '## 1.2.2, 2026-11-26\n' }, /begins with "1.2.2, /],
    ['no repository', { ...GOOD, repository: undefined }, {}, /`repository.url` is missing/],
    ['no provenance', { ...GOOD, publishConfig: { access: 'public' } }, {}, /`publishConfig.provenance` must be true/],
    ['no public access', { ...GOOD, publishConfig: { provenance: true } }, {}, /`publishConfig.access` must be public/],
    ['files that nobody needs', { ...GOOD, files: ['notes'] }, { notes: 'mine' }, /holds notes/],
  ])('refuses %s', (_, manifest, files, message) => {
    expect(said(manifest, files)).toMatch(message);
  });
});

describe('the manifest that is packed', () => {
  const manifest = {
    scripts: { test: 'x' },
    exports: { '.': { 'effectively-once-source': './src', default: './dist' } },
  };
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, ['release/manifest.ts', ...args], { cwd: checkout, encoding: 'utf8' });
  const read = () => JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));

  it('is clean, and afterwards what it was, also after a pack that was interrupted', () => {
    writeFileSync(join(checkout, 'package.json'), JSON.stringify(manifest));
    run('--clean');
    expect(read()).toEqual({ exports: { '.': { default: './dist' } } });
    run('--clean');
    expect(read()).not.toHaveProperty('scripts');
    run('--restore');
    expect(read()).toEqual(manifest);
  });
});
