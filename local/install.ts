import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** What is installed goes into the checkout, where git ignores it. */
export const CHECKOUT = dirname(import.meta.dirname);

/** On which the Node.js of this process comes first. */
export const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);

/** Installs what `list` names into `directory`, unless just that is there. */
export async function install(directory: string, list: string, fetch: () => Promise<unknown>): Promise<void> {
  const wanted = readFileSync(list, 'utf8');
  const installed = join(directory, 'installed');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return;
  await fetch();
  writeFileSync(installed, wanted);
}

/** Fails with what is needed, unless the command runs and says what is expected. */
export async function need(what: string, command: string, args: readonly string[], expected = /(?:)/): Promise<void> {
  const said = await run(command, args).catch(() => undefined);
  if (!said || !expected.test(said.stdout)) throw new Error(`${what}: put \`${command}\` on the PATH.`);
}
