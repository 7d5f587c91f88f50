import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CHECKOUT, install, need, run } from '../../local/install.ts';

export const SITE = join(CHECKOUT, 'site');
export const BUILT = join(SITE, '.built');
export const VENV = join(SITE, '.venv');

/** Builds the site, and installs what checks the templates. */
// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default async function setup(): Promise<void> {
  await Promise.all([build(), installValidators()]);
}

async function build(): Promise<void> {
  const main = ['--disable-warning=ExperimentalWarning', join(SITE, 'main.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, main, { cwd: CHECKOUT });
  process.stdout.write(stdout);
}

async function installValidators(): Promise<void> {
  const requirements = join(SITE, 'requirements.txt');
  await install(VENV, requirements, async () => {
    const isRecent = ['-c', 'import sys; print(sys.version_info >= (3, 10))'];
    await need('cfn-lint needs Python 3.10 or later', 'python3', isRecent, /True/);
    await run('python3', ['-m', 'venv', '--clear', VENV]);
    await run(join(VENV, 'bin/pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--requirement',
      requirements,
    ]);
  });
}
