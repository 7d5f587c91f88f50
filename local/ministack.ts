import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Engine, LOCAL } from './dynamodb.ts';
import { freePort, type Server, startServer } from './server.ts';

const run = promisify(execFile);
const ROOT = dirname(import.meta.dirname);
const VENV = join(ROOT, '.venv');
const REQUIREMENTS = join(import.meta.dirname, 'ministack', 'requirements.txt');
const INSTALLED = join(VENV, 'installed.txt');

/** Installs MiniStack into `.venv`, unless it is there. */
export async function installMiniStack(): Promise<void> {
  const wanted = readFileSync(REQUIREMENTS, 'utf8');
  if (read(INSTALLED) === wanted) return;
  await requirePython();
  await run('python3', ['-m', 'venv', '--clear', VENV]);
  const quietly = ['--quiet', '--no-cache-dir', '--disable-pip-version-check'];
  await run(join(VENV, 'bin', 'pip'), ['install', ...quietly, '--requirement', REQUIREMENTS]);
  writeFileSync(INSTALLED, wanted);
}

/**
 * Starts a whole AWS on a loopback port: 4566, or a free one where that is taken. `installMiniStack` comes first.
 * Its Lambda workers run on the Node.js of this process.
 */
export async function startMiniStack({ port: wanted = 4566 }: { port?: number } = {}): Promise<Engine & Server> {
  const port = await freePort(wanted);
  const endpoint = `http://127.0.0.1:${port}`;
  // Not inside the checkout, or functions would find its `node_modules` and the `type` of its `package.json`.
  const directory = mkdtempSync(join(tmpdir(), 'effectively-once-ministack-'));
  const server = await startServer({
    name: 'MiniStack',
    command: join(VENV, 'bin', 'ministack'),
    args: [],
    cwd: directory,
    // All of it, since functions inherit it.
    env: {
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: directory,
      TMPDIR: directory,
      STATE_DIR: join(directory, 'state'),
      S3_DATA_DIR: join(directory, 's3'),
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: `${port}`,
      MINISTACK_REGION: LOCAL.region,
      IOT_MTLS_ENABLED: '0', // it listens on every interface
    },
    answers: async () => (await fetch(`${endpoint}/_ministack/health`)).ok,
    readyWithinMs: 60_000,
    missing: 'MiniStack is not installed.',
    cleanUp: () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
  });
  return { ...server, endpoint };
}

async function requirePython(): Promise<void> {
  const isRecent = ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))'];
  await run('python3', isRecent).catch(() => {
    throw new Error('MiniStack needs Python 3.10 or later: put `python3` on the PATH.');
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
