import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, LOCAL } from './dynamodb.ts';
import { CHECKOUT, install, need, PATH, run } from './install.ts';
import { freePort, type Server, startServer } from './server.ts';

const VENV = join(CHECKOUT, '.venv');

/** Installs MiniStack into `.venv`, unless it is there. */
export async function installMiniStack(): Promise<void> {
  const requirements = join(import.meta.dirname, 'ministack', 'requirements.txt');
  await install(VENV, requirements, async () => {
    const isRecent = ['-c', 'import sys; print(sys.version_info >= (3, 10))'];
    await need('MiniStack needs Python 3.10 or later', 'python3', isRecent, /True/);
    await run('python3', ['-m', 'venv', '--clear', VENV]);
    const quietly = ['--quiet', '--no-cache-dir', '--disable-pip-version-check'];
    await run(join(VENV, 'bin', 'pip'), ['install', ...quietly, '--requirement', requirements]);
  });
}

/**
 * Starts a whole AWS on a loopback port: 4566, or a free one where that is taken. `installMiniStack` comes first.
 * Its Lambda workers run on the Node.js of this process; `environment` is added to theirs.
 */
export async function startMiniStack({
  port: wanted = 4566,
  environment = {},
}: {
  readonly port?: number | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
} = {}): Promise<Engine & Server> {
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
      ...environment,
      PATH,
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
