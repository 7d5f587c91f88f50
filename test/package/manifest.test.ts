import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { root, run } from './project.ts';

const tool = (name: string, ...args: readonly string[]) => run(root, join(root, 'node_modules/.bin', name), ...args);

describe('the packed tarball', () => {
  const read = (path: string) =>
    execFileSync('tar', ['xzOf', inject('tarball'), `package/${path}`], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const published = () => JSON.parse(read('package.json'));

  it('holds what users need, and nothing else', () => {
    const packed = inject('packed');
    expect(packed.filter((file) => !/^(dist|docs)\//.test(file)).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'openapi/idempotency.yaml',
      'package.json',
    ]);
    expect(packed.filter((file) => /^docs\/(?!.*\.(md|svg|png)$)/.test(file))).toEqual([]);
    expect(packed.filter((file) => /orders-stack|examples|demo|local|release|\/lib\/.*\.map/.test(file))).toEqual([]);
    const doors = ['dist/src/index.d.ts', 'dist/src/client/index.js', 'dist/cdk/lib/index.js', 'dist/cli/index.js'];
    const page = ['index.html', 'console.js', 'style.css', 'icon.svg', 'THIRD-PARTY.txt'];
    expect(packed).toEqual(expect.arrayContaining([...doors, ...page.map((file) => `dist/console/${file}`)]));
  });

  it('has no scripts, no tools and no way to sources that are not there', () => {
    const manifest = published();
    expect(Object.keys(manifest)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(scripts|devDependencies|workspaces)$/)]),
    );
    expect(JSON.stringify(manifest)).not.toContain('effectively-once-source');
    expect(Object.keys(manifest.exports)).toEqual(
      Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports),
    );
  });

  it('leaves the manifest of the repository as it was', () => {
    expect(run(root, 'git', 'status', '--porcelain', 'package.json', '.package.json')).not.toContain('.package.json');
    expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).toHaveProperty('scripts.test');
  });

  it('has declarations that import declarations', () => {
    const declarations = inject('packed').filter((file) => file.endsWith('.d.ts'));
    const astray = declarations.filter((file) => /from '\.[^']*\.ts'/.test(read(file)));
    expect(astray).toEqual([]);
  });

  it('has no fault that publint knows', () => {
    expect(tool('publint', inject('tarball'), '--strict')).toContain('All good!');
  });

  // ESM alone: Node 22.15 loads it by `require`, too, which attw does not count.
  it('has types that resolve as its code does, to attw: what is ESM alone', () => {
    const others = ['cdk', 'openapi/idempotency.yaml']; // a YAML file has no types
    tool('attw', inject('tarball'), '--profile', 'esm-only', '--exclude-entrypoints', ...others);
  });

  // CDK apps are CommonJS more often than not, and old ones resolve in the way of Node 10: no exception for these.
  it('has types that resolve as its code does, to attw: the constructs, in every way there is', () => {
    tool('attw', inject('tarball'), '--profile', 'strict', '--entrypoints', 'cdk');
  });
});
