import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { LOCAL } from '../../local/dynamodb.ts';
import type { ConsumerSettings, Told } from './consumer.ts';
import type { Delivery } from './poller.ts';
import { SCOPE } from './saboteur.ts';
import type { Tables } from './tables.ts';

export interface Consumers {
  readonly start: () => void;
  /** Kills the one that runs; false: none does. */
  readonly kill: () => boolean;
  /** Resolves when the one that was started has ended. */
  readonly ended: () => Promise<unknown>;
  readonly deliveries: readonly Delivery[];
  /** What those wrote that ended by themselves. */
  readonly failures: readonly string[];
}

const KEPT_OUTPUT = 2_000;

/** Consumers in processes of their own, one at a time; they die with this one. */
export function consumersOf(
  settings: ConsumerSettings,
  tables: Pick<Tables, 'environment'>,
  { endpoint, isFatal }: { readonly endpoint: () => string; readonly isFatal: () => boolean },
): Consumers {
  const deliveries: Delivery[] = [];
  const failures: string[] = [];
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();

  const kill = (): boolean => {
    const isRunning = child?.exitCode === null && child.signalCode === null && !child.killed;
    return isRunning && child?.kill('SIGKILL') === true;
  };

  const start = (): void => {
    const started = fork(join(import.meta.dirname, 'consumer.ts'), {
      execArgv: ['--conditions=effectively-once-source', '--disable-warning=ExperimentalWarning'],
      env: { ...process.env, ...tables.environment, ...environmentOf(endpoint()), CONSUMER: JSON.stringify(settings) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = started;
    let output = '';
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on('data', (chunk) => {
        output = `${output}${chunk}`.slice(-KEPT_OUTPUT);
      });
    }
    started.on('message', (told: Told) => {
      if (told.kind === 'delivery') deliveries.push(told);
      else if (!isFatal() && started.connected) started.send(told.number, () => {}); // it may die meanwhile
    });
    ended = new Promise<void>((resolve) => {
      started.once('close', (code, signal) => {
        if (signal !== 'SIGKILL') failures.push(`a consumer ended by ${signal ?? `code ${code}`}: ${output}`);
        resolve();
      });
    });
  };

  process.once('exit', kill);
  return { start, kill, ended: () => ended, deliveries, failures };
}

function environmentOf(endpoint: string): Record<string, string> {
  return {
    IDEMPOTENCY_SCOPE: SCOPE,
    IDEMPOTENCY_PARTIAL_FAILURES: 'true',
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: LOCAL.region,
    AWS_ACCESS_KEY_ID: LOCAL.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL.credentials.secretAccessKey,
  };
}
