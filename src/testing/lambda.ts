import timers from 'node:timers';
import type { Context } from 'aws-lambda';
import { type IdempotencyError, misuse } from '../core/errors.ts';
import type { Delivered } from './reaction.ts';
import { inTime } from './stand-in.ts';
import { virtualTime } from './virtual-time.ts';

const { clearTimeout, setTimeout } = timers; // the real ones: an import by name follows what replaces them

export type Handler = (event: any, context: Context) => unknown;

/** A Lambda function's process: it has loaded its handler, and lives until it dies. */
export interface Process {
  readonly now: () => number;
  readonly isDead: () => boolean;
  /** From now on nothing of it is heard any more. */
  readonly die: () => void;
  /** One invocation. */
  readonly deliver: (event: unknown) => Promise<Delivered>;
  /** Lets ms pass between invocations. */
  readonly pass: (ms: number) => Promise<void>;
}

/** Real ms without a sign of life after which a handler is taken to wait for a timer. */
const QUIET_MS = 10;

/** And for nothing that will ever come. */
const MOST_QUIETS = 200;

export function launch(
  at: number,
  timeout: number,
  load: (process: Process) => Handler | Promise<Handler>,
  onTimeout: () => void,
): Process {
  const time = virtualTime(at);
  const death = Promise.withResolvers<'died'>();
  let isDead = false;

  const process: Process = {
    now: time.now,
    isDead: () => isDead,
    die: () => {
      isDead = true;
      death.resolve('died');
    },
    pass: (ms) => time.advanceTo(time.now() + ms),

    async deliver(event) {
      const deadline = time.now() + timeout;
      const context = {
        functionName: 'explored',
        awsRequestId: crypto.randomUUID(),
        callbackWaitsForEmptyEventLoop: false,
        getRemainingTimeInMillis: () => Math.max(0, deadline - time.now()),
      } as Context;
      const handle = await handler;
      const ended = inTime(time, async () => handle(event, context)).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      for (let quiets = 0; ; quiets++) {
        const result = await orQuiet(Promise.race([ended, death.promise]));
        if (result !== 'quiet') return result;
        const due = time.nextDue();
        if (due === undefined) {
          if (quiets >= MOST_QUIETS) throw stuck();
        } else if (due < deadline) {
          quiets = 0;
          await time.advanceTo(due);
        } else {
          onTimeout();
          process.die();
        }
      }
    },
  };

  const handler = inTime(time, () => load(process));
  return process;
}

async function orQuiet<T>(ended: Promise<T>): Promise<T | 'quiet'> {
  let timer: NodeJS.Timeout | undefined;
  const quiet = new Promise<'quiet'>((resolve) => {
    timer = setTimeout(resolve, QUIET_MS, 'quiet');
  });
  return Promise.race([ended, quiet]).finally(() => clearTimeout(timer));
}

function stuck(): IdempotencyError {
  return misuse('the handler neither ends nor waits for a timer: its effects must answer');
}
