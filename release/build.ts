// Builds what is packed: ESM, and the constructs as CommonJS, which apps of either kind load.
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCommand } from './command.ts';
import { buildPage } from './page.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
for (const project of ['tsconfig.build.json', 'tsconfig.cdk.json']) {
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], { cwd: root, stdio: 'inherit' });
}
await buildCommand(root, join(dist, 'cli'));
await buildPage(root, join(dist, 'console'));
writeFileSync(join(dist, 'cdk/package.json'), '{ "type": "commonjs" }\n');
cpSync(join(root, 'examples/starter'), join(dist, 'starter'), { recursive: true });

// TypeScript rewrites the imports of code, and not those of declarations.
for (const file of globSync('{src,lib,cdk}/**/*.d.ts', { cwd: dist })) {
  const text = readFileSync(join(dist, file), 'utf8');
  writeFileSync(join(dist, file), text.replaceAll(/((?:from |import\()['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'));
}
