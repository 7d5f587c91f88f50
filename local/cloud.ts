import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Engine, LOCAL } from './dynamodb.ts';
import { CHECKOUT, PATH } from './install.ts';
import { installMiniStack, startMiniStack } from './ministack.ts';
import type { Server } from './server.ts';
import { supplyTtl } from './supplied.ts';

export interface CloudOptions {
  /** What `cdk --app` takes; all of its stacks are deployed. @default - the app of this repository */
  readonly app?: string;
  /** @default - 4566, or a free one where that is taken */
  readonly port?: number;
  /** More environment for every function, beneath its own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Is told the process that leads the cloud's, as soon as there is one. */
  readonly started?: (pid: number) => void;
  /** Is told what is going on, a line at a time. */
  readonly tell?: (line: string) => void;
}

/** A whole AWS on loopback, with stacks that the CDK deployed into it. */
export interface Cloud extends Engine, Server {
  /** By stack and name. An API's URL is the one that it answers at here. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

type Outputs = Record<string, Record<string, string>>;

/** Starts MiniStack and deploys an app into it by `cdk bootstrap` and `cdk deploy`, as into any AWS. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const { app = 'node bin/app.ts', port, environment, started = () => {}, tell = () => {} } = options;
  tell('1/4 Installing MiniStack into .venv, unless it is there …');
  await installMiniStack();
  tell('2/4 Starting it …');
  const engine = await startMiniStack({ port, environment });
  started(engine.pid);
  const directory = mkdtempSync(join(tmpdir(), 'effectively-once-cdk-'));
  const aborted = new AbortController();
  const abandon = (): void => {
    aborted.abort();
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', abandon);
  const stop = async (): Promise<void> => {
    process.off('exit', abandon);
    abandon();
    await engine.stop();
  };
  try {
    const log = join(directory, 'cdk.log');
    const cdk = (...args: string[]): Promise<void> =>
      runCdk([...args, '--app', app], { directory, endpoint: engine.endpoint, log, signal: aborted.signal });
    tell(`3/4 It answers at ${engine.endpoint}. Preparing it for the CDK (what the CDK says is in ${log}) …`);
    await cdk('bootstrap', '--output', join(directory, 'bootstrap'));
    tell('4/4 Synthesizing and deploying the stack …');
    const assembly = join(directory, 'assembly');
    const file = join(directory, 'outputs.json');
    await cdk('deploy', '--all', '--require-approval', 'never', '--output', assembly, '--outputs-file', file);
    const outputs: Outputs = JSON.parse(readFileSync(file, 'utf8'));
    await supplyTtl(engine.endpoint, Object.keys(outputs), tell);
    return { ...engine, outputs: callable(outputs, engine.endpoint), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface CdkRun {
  readonly directory: string;
  readonly endpoint: string;
  /** Where all that it says is appended to. */
  readonly log: string;
  readonly signal: AbortSignal;
}

const CDK = join(CHECKOUT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
const KEPT_LINES = 30;

/** With an environment of its own, so that it finds neither your account nor your settings. Throws with what it said last. */
async function runCdk(args: readonly string[], { directory, endpoint, log, signal }: CdkRun): Promise<void> {
  const child = spawn(process.execPath, [CDK, ...args, '--no-notices', '--no-color', '--ci'], {
    cwd: CHECKOUT,
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH,
      HOME: directory,
      TMPDIR: directory,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: LOCAL.region,
      AWS_ACCESS_KEY_ID: LOCAL.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: LOCAL.credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  const file = createWriteStream(log, { flags: 'a' });
  const kept: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      if (line.trim() === '') return;
      file.write(`${line}\n`);
      kept.push(line);
      if (kept.length > KEPT_LINES) kept.shift();
    });
  }
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  file.end();
  if (code !== 0) throw new Error(`\`cdk ${args[0]}\` failed:\n${kept.join('\n')}`);
}

/** An HTTP API of this cloud answers under a name of this machine, not under the one that CloudFormation gives out. */
function callable(outputs: Outputs, endpoint: string): Outputs {
  const { port } = new URL(endpoint);
  const local = (value: string): string =>
    value.replace(/^https?:\/\/(\w+)\.execute-api\.[^/]+/, `http://$1.execute-api.localhost:${port}`);
  return Object.fromEntries(
    Object.entries(outputs).map(([stack, values]) => [
      stack,
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, local(value)])),
    ]),
  );
}
