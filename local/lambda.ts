import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { IdempotencyEvent } from 'effectively-once';
import type { Invocation, Report } from './lambda-worker.ts';

export interface FunctionOptions {
  readonly name: string;
  /** The module with the handler. */
  readonly entry: URL;
  readonly environment: Record<string, string>;
  /** Of an invocation; loading the module is not part of it, as on Lambda. */
  readonly timeoutMs: number;
  /** Most worker threads at once; further invocations queue. */
  readonly concurrency: number;
  readonly onEvent: (event: IdempotencyEvent) => void;
}

/** A crash to happen to the next invocation: with this environment besides, it is killed once `when` resolves. */
interface Crash {
  readonly environment: Record<string, string>;
  readonly when: () => Promise<unknown>;
}

/** A function as Lambda runs it: its own process-like worker per concurrent call, killed when it times out. */
export interface LocalFunction {
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly crashNext: (crash: Crash) => void;
  readonly stop: () => Promise<unknown>;
}

export function startFunction(options: FunctionOptions): LocalFunction {
  const { name, entry, environment, timeoutMs, concurrency, onEvent } = options;
  const workers = new Map<Worker, Promise<unknown>>();
  const idle: Worker[] = [];
  const waiting: (() => void)[] = [];
  let running = 0;
  let crash: Crash | undefined;

  const spawn = (more: Record<string, string> = {}): Worker => {
    const worker = new Worker(new URL('./lambda-worker.ts', import.meta.url), {
      workerData: { name, entry: entry.href },
      env: { ...environment, ...more },
      stderr: true, // failing handlers are part of the show, their stack traces are not
    });
    worker.setMaxListeners(0);
    workers.set(worker, once(worker, 'message'));
    worker.once('exit', () => workers.delete(worker));
    return worker;
  };

  const kill = (worker: Worker): void => {
    workers.delete(worker);
    worker.terminate();
  };

  /** The result of one invocation on one worker; rejects when the handler threw, timed out or was killed. */
  const run = async (worker: Worker, event: unknown): Promise<unknown> => {
    await workers.get(worker); // until it is ready
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => kill(worker), timeoutMs);
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        worker.off('message', listen).off('exit', died).off('error', reject);
        finish();
      };
      const listen = (report: Report): void => {
        if (report.kind === 'event') onEvent(report.event);
        else if (report.kind === 'result') settle(() => resolve(report.value));
        else if (report.kind === 'error') settle(() => reject(new Error(report.message)));
      };
      const died = (): void => settle(() => reject(new Error(`${name} died`)));
      worker.on('message', listen).once('exit', died).once('error', reject);
      worker.postMessage({ event, deadline: Date.now() + timeoutMs } satisfies Invocation);
    });
  };

  const invoke = async (event: unknown): Promise<unknown> => {
    const doomed = crash;
    crash = undefined;
    if (doomed) {
      const worker = spawn(doomed.environment);
      doomed.when().finally(() => kill(worker));
      return run(worker, event);
    }
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    const worker = idle.pop() ?? spawn();
    try {
      return await run(worker, event);
    } finally {
      running--;
      if (workers.has(worker)) idle.push(worker);
      waiting.shift()?.();
    }
  };

  return {
    invoke,
    crashNext: (next) => {
      crash = next;
    },
    stop: () => Promise.all(Array.from(workers.keys(), (worker) => worker.terminate())),
  };
}
