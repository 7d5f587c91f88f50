import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server on this machine. It dies with this process, unless that is killed with SIGKILL. */
export interface Server {
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export interface ServerOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly answers: () => Promise<boolean>;
  readonly readyWithinMs: number;
  /** What to say where the command is not to be had. */
  readonly missing: string;
  /** Removes what the server leaves behind; called once, when it is gone. */
  readonly cleanUp?: () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PATIENCE_MS = 5_000;
const KEPT_OUTPUT = 2_000;

/** Starts a server and waits until it answers. To stop it, it is asked, and then made to. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { name, command, args, cwd, env, cleanUp = () => {} } = options;
  // Detached, it leads a process group, and its own children can be killed with it.
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = `${output}${chunk}`.slice(-KEPT_OUTPUT);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', () => resolve(options.missing));
    child.once('close', (code, signal) => resolve(`${name} ended early, by ${signal ?? `code ${code}`}. ${output}`));
  });
  const kill = (): void => {
    killGroup(child.pid);
    cleanUp();
  };
  process.once('exit', kill);
  for (const signal of SIGNALS) process.prependOnceListener(signal, exit);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(PATIENCE_MS, undefined, { ref: false })]);
    killGroup(child.pid);
    await ended;
    for (const signal of SIGNALS) process.off(signal, exit);
    process.off('exit', kill);
    cleanUp();
  };
  const failure = await Promise.race([ended, untilItAnswers(options)]);
  if (failure === undefined) return { pid: child.pid as number, stop };
  await stop();
  throw new Error(failure);
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader) process.kill(-leader, 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** A signal that nobody handles would end this process without its 'exit'. */
function exit(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 0) process.exit(128 + constants.signals[signal]);
}

async function untilItAnswers({ name, answers, readyWithinMs }: ServerOptions): Promise<string | undefined> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    if (await answers().catch(() => false)) return undefined;
    await sleep(20);
  }
  return `${name} did not answer within ${readyWithinMs / 1000} seconds.`;
}

/** A loopback port that nothing listens on: the wanted one, if it is free. */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(wanted, '127.0.0.1', resolve));
  } catch {
    return freePort();
  }
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
