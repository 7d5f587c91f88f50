import type { Context } from 'aws-lambda';
import type { IdempotencyError } from 'effectively-once';
import { beforeEach, vi } from 'vitest';
import { lambdaContext } from '../ways.ts';
import * as world from '../world.ts';

export { LEASE_MS } from '../world.ts';

/** The world of a hazard: histories use the same key, so each has a table of its own. */
export interface World extends world.World {
  readonly records: () => Promise<Record<string, unknown>[]>;
}

export function worldOfTests(): World {
  const made = world.worldOfTests('a table for each test');
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
  return { ...made, records: made.items };
}

export interface Order {
  readonly orderId: string;
  readonly amount?: number;
}

/** What a caller sees of a call: its value, an error's code, or an error that has none. */
export async function seen(answer: Promise<unknown>): Promise<unknown> {
  return answer.catch((error: IdempotencyError) => error?.code ?? error);
}

/** The crash of a process: it enters the handler and is never heard of again. */
export async function dies(call: (handler: () => Promise<never>) => unknown): Promise<void> {
  const entered = Promise.withResolvers<void>();
  call(() => {
    entered.resolve();
    return new Promise(() => {});
  });
  await entered.promise;
}

/** A handler that stops in every run until the test lets it go on. */
export function stoppable<Result = unknown>() {
  let runs = 0;
  let enter = (_: PromiseWithResolvers<Result>): void => {};
  return {
    runs: () => runs,
    handler: (): Promise<Result> => {
      runs++;
      const gate = Promise.withResolvers<Result>();
      enter(gate);
      return gate.promise;
    },
    /** Begins a call and comes back when it is inside the handler. */
    begin: async <Answer>(call: () => Promise<Answer>) => {
      const entered = new Promise<PromiseWithResolvers<Result>>((resolve) => {
        enter = resolve;
      });
      const answer = call();
      answer.catch(() => {});
      const { resolve, reject } = await entered;
      return { answer, resolve, reject };
    },
  };
}

/** The context of a durable function, as far as one is known by it. */
export function durableContext(): Context {
  return Object.assign(lambdaContext(), {
    lambdaContext: lambdaContext(),
    step: () => {},
    durableExecutionMode: 'ReplayMode',
  });
}
