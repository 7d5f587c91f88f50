import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT, run } from './install.ts';

/** What `npm run local` has started. */
export interface Started {
  readonly pid: number;
  /** Leader of the group of processes that are the cloud. */
  readonly server?: number;
  /** Where all of them write. */
  readonly directory: string;
}

const FILE = join(CHECKOUT, '.local', 'started.json');

export function startedNow(now: Started): void {
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, JSON.stringify(now));
}

/** Removes what is left when the processes are gone. */
export function forget({ directory }: Started): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  rmSync(FILE, { force: true });
}

/** What was started and not ended. Of one whose process is gone, what it has left behind is removed first. */
export async function started(): Promise<Started | undefined> {
  const noted = read();
  if (!noted || (await isOurs(noted.pid, 'local/main.ts'))) return noted;
  if (noted.server && (await isOurs(noted.server, 'ministack'))) process.kill(-noted.server, 'SIGKILL');
  forget(noted);
  return undefined;
}

/** Ends what was started, here or in another terminal. */
export async function down(): Promise<void> {
  const running = await started();
  if (running) process.kill(running.pid, 'SIGTERM');
  const patience = Date.now() + 15_000;
  while ((await started()) && Date.now() < patience) await sleep(100);
  const stuck = await started();
  if (stuck) process.kill(stuck.pid, 'SIGKILL');
  while (await started()) await sleep(100);
  console.log(running ? 'The local AWS is down.' : 'No local AWS was up.');
}

function read(): Started | undefined {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A number may have gone to another process since. */
async function isOurs(pid: number, name: string): Promise<boolean> {
  const said = await run('ps', ['-p', `${pid}`, '-o', 'args=']).catch(() => undefined);
  return said?.stdout.includes(name) ?? false;
}
