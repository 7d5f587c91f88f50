import { setTimeout as sleep } from 'node:timers/promises';
import { LONGEST_TIMER } from '../core/duration.ts';
import { IdempotencyError, isIdempotencyError, misuse } from '../core/errors.ts';
import { derivedKey } from '../core/identity.ts';
import { type Holder, saveStep } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Execution } from '../execution.ts';
import type { Outcomes } from '../values/outcome.ts';

/** The steps of one run. */
export interface StepRunner extends Pick<Execution, 'step' | 'keyFor'> {
  /** No further step may begin. */
  readonly close: () => void;
  /** Resolves when all begun steps have ended, or shortly before the deadline. False: one may not be on record. */
  readonly finished: () => Promise<boolean>;
}

interface StepsOptions {
  readonly holder: Holder;
  readonly signal: AbortSignal;
  /** Ms. */
  readonly remaining: () => number;
  readonly isTerminal: (error: unknown) => boolean;
  readonly outcomes: Outcomes;
}

/** Kept for answering, when a step does not end. */
const RESERVE_MS = 500;

const TOO_MUCH: Outcome = { kind: 'unavailable', body: 'it does not fit into the record' };

export function stepsOf(options: StepsOptions): StepRunner {
  const { holder, signal, remaining } = options;
  const { id } = holder.lease;
  const names = new Set<string>();
  const begun: Promise<unknown>[] = [];
  let running = 0;
  let isSure = true;
  let isClosed = false;
  const run = runnerOf(options, () => {
    isSure = false;
  });

  return {
    keyFor: (name) => effectKey(id, name),

    async step(name, fn) {
      if (names.has(checkedName(name))) throw misuse(`step "${name}" is begun twice in one run`);
      if (isClosed) throw misuse(`step "${name}" begins after the run has ended`);
      if (signal.aborted) throw lost(id);
      names.add(name);
      running++;
      const ended = run(name, fn).finally(() => running--);
      begun.push(ended);
      return ended;
    },

    close: () => {
      isClosed = true;
    },

    finished: async () => {
      await within(remaining() - RESERVE_MS, signal, Promise.allSettled(begun));
      return isSure && running === 0;
    },
  };
}

/** Runs a step, or gives what an earlier attempt recorded. `onDoubt`: its effect has happened, and may not be on record. */
function runnerOf({ holder, signal, isTerminal, outcomes }: StepsOptions, onDoubt: () => void): Execution['step'] {
  const { id, attempt, steps: earlier } = holder.lease;

  const save = async (name: string, outcome: Outcome): Promise<void> => {
    const isSaved = await saved(holder, name, outcome).catch((error) => {
      onDoubt();
      throw error;
    });
    if (!isSaved) throw lost(id);
  };

  return async (name, fn) => {
    if (Object.hasOwn(earlier, name)) return earlierResult(holder, outcomes, name) as any;
    let value: Awaited<ReturnType<typeof fn>>;
    try {
      value = await fn({ key: effectKey(id, name), attempt, signal });
    } catch (error) {
      if (isTerminal(error)) await save(name, outcomes.ofError(error)).catch(() => {}); // the error is what the handler gets
      throw error;
    }
    await save(name, outcomes.ofValue(value));
    return value;
  };
}

/** The key of a run's effect. */
export function effectKey(id: string, name: string): string {
  return derivedKey(id, checkedName(name));
}

async function saved(holder: Holder, name: string, outcome: Outcome): Promise<boolean> {
  try {
    return await saveStep(holder, name, outcome);
  } catch (error) {
    // Refused for good, for example because the record would grow too large. That the step is done must still be on record.
    if (isIdempotencyError(error) && !error.retryable) return saveStep(holder, name, TOO_MUCH);
    throw error;
  }
}

/** The recorded result of an earlier attempt. */
async function earlierResult({ lease, store }: Holder, outcomes: Outcomes, name: string): Promise<unknown> {
  const opened = await outcomes.load(store, lease.steps[name] as Outcome);
  if ('error' in opened) throw opened.error;
  if ('value' in opened) return opened.value;
  // Without the record's id: the step is done, the record is not.
  const why = `step "${name}" is done, but its value was not kept: ${opened.unavailable}`;
  throw new IdempotencyError('RESULT_UNAVAILABLE', why);
}

/** Resolves when the work has ended, when `ms` are over, or when the signal is aborted. */
async function within(ms: number, signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const timeout = sleep(Math.min(LONGEST_TIMER, Math.max(0, ms)), undefined, { signal: over.signal }).catch(() => {});
  await Promise.race([work, aborted(signal), timeout]);
  over.abort();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

/** Throws `MISUSE` for an invalid name of a step or a key. */
export function checkedName(name: unknown): string {
  const isText = typeof name === 'string' && name.trim() !== '' && name.length <= 255 && name.isWellFormed();
  if (isText && name !== '__proto__') return name; // which the SDK cannot read
  throw misuse('the name of a step must be a text of 1 to 255 characters');
}

function lost(id: string): IdempotencyError {
  return new IdempotencyError('LEASE_LOST', 'the lease is over, or another run took the key over', { id });
}
