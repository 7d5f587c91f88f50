// Builds the site: the pages of docs/, the README, and the API reference from the doc comments. `--serve` shows it.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { faultsOf } from './links.ts';
import { writePages } from './pages.ts';
import { serve } from './server.ts';

const home = import.meta.dirname;
const built = join(home, '.built');
const bin = join(home, 'node_modules/.bin');
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}`, NO_COLOR: '1' };

/** Prints what a tool says only if it fails. */
function step(what: string, command: string, ...args: readonly string[]): void {
  const start = Date.now();
  try {
    execFileSync(command, args, { cwd: home, env, stdio: 'pipe', encoding: 'utf8' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    console.error(`✗ ${what}\n${stdout ?? ''}${stderr ?? ''}`);
    process.exit(1);
  }
  console.log(`✓ ${what} (${((Date.now() - start) / 1_000).toFixed(0)} s)`);
}

const madeAt = (path: string): number => (existsSync(path) ? statSync(path).mtimeMs : 0);
if (madeAt(join(home, 'node_modules/.package-lock.json')) < madeAt(join(home, 'package-lock.json'))) {
  step('tools installed', 'npm', 'ci', '--no-audit', '--no-fund');
}
rmSync(join(home, '.pages'), { recursive: true, force: true });
step('API reference made', process.execPath, '--disable-warning=ExperimentalWarning', join(bin, 'typedoc'));
writePages();
step('site built', process.execPath, join(bin, 'vitepress'), 'build', '.');
const faults = faultsOf(built);
for (const fault of faults) console.error(`✗ ${fault}`);
if (faults.length > 0) process.exit(1);
console.log(`✓ links lead somewhere, and nothing is loaded from elsewhere: ${built}`);

if (process.argv.includes('--serve')) {
  const { url } = await serve(built, Number(process.env['PORT'] ?? 4173));
  console.log(`${url}/   (Ctrl+C ends it)`);
}
