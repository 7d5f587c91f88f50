import { LONGEST_TIMER } from '../core/duration.ts';
import { IdempotencyError, isIdempotencyError, misuse } from '../core/errors.ts';
import { derivedKey } from '../core/identity.ts';
import { RESERVE_MS } from '../core/patience.ts';
import { type Holder, saveStep } from '../core/protocol.ts';
import { type Outcome, ROOM_BYTES, withoutBody } from '../core/record.ts';
import type { Execution, StepContext } from '../execution.ts';
import { fitted } from '../values/fitted.ts';
import type { Outcomes } from '../values/outcome.ts';
import type { Floating } from './floating.ts';
import type { Lease } from './lease.ts';
import { roomOf, weightOf } from './room.ts';

/** The steps of one run. */
export interface StepRunner extends Pick<Execution, 'step'> {
  /** Whether one has begun. */
  readonly hasBegun: () => boolean;
  /** Resolves when all begun steps have ended, or shortly before the deadline. False: one may not be on record. */
  readonly finished: () => Promise<boolean>;
  /** Lets the names of steps that have ended be used again, as another attempt does: what is on record is not run again. */
  readonly resume: () => void;
}

interface StepsOptions {
  readonly holder: Holder;
  readonly lease: Pick<Lease, 'signal' | 'isHeld'>;
  readonly floating: Floating;
  /** Ms. */
  readonly remaining: () => number;
  readonly isTerminal: (error: unknown) => boolean;
  readonly outcomes: Outcomes;
  /** Why no step may begin now. */
  readonly bar: () => string | undefined;
}

type Step = (step: StepContext) => unknown;

export function stepsOf(options: StepsOptions): StepRunner {
  const { holder, lease, floating, remaining, bar } = options;
  const { id } = holder.lease;
  const names = new Set<string>();
  const running = new Set<string>();
  const runner = runnerOf(options);
  let hasBegun = false;

  const begin = async (name: string, fn: Step): Promise<unknown> => {
    if (names.has(checkedName(name))) throw misuse(`step "${name}" is begun twice in one run`);
    const barred = floating.isClosed() ? 'after the run has ended' : bar();
    if (barred) throw misuse(`step "${name}" cannot begin ${barred}`);
    if (!lease.isHeld()) throw lost(id);
    hasBegun = true;
    names.add(name);
    running.add(name);
    return runner.run(name, fn).finally(() => running.delete(name));
  };

  return {
    step: (name, fn) => floating.watch(`step "${name}"`, begin(name, fn)) as Promise<any>,
    hasBegun: () => hasBegun,
    finished: async () => {
      await atMost(remaining() - RESERVE_MS, floating.settled());
      return !hasBegun || (runner.isSure() && running.size === 0);
    },
    resume: () => {
      for (const name of names) if (!running.has(name)) names.delete(name);
    },
  };
}

interface Runner {
  /** Runs a step, or gives what is on record of it. */
  readonly run: (name: string, fn: Step) => Promise<unknown>;
  /** False: a step has had its effect, and may not be on record. */
  readonly isSure: () => boolean;
}

function runnerOf({ holder, lease, remaining, isTerminal, outcomes }: StepsOptions): Runner {
  const { store, lease: record } = holder;
  const { id, attempt } = record;
  const context = { id, remaining };
  const recorded = new Map(Object.entries(record.steps));
  const room = roomOf(record.steps, store.keep ? ROOM_BYTES : Number.POSITIVE_INFINITY);
  let isSure = true;

  const save = async (name: string, whole: Outcome): Promise<void> => {
    const fit = await fitted(store, whole, { record, inline: room.inline(name, whole) }, room.for(name));
    const outcome = weightOf(name, fit) > room.for(name) ? withoutBody(fit, 'it does not fit into the record') : fit;
    room.settle(name, outcome);
    const isSaved = await saved(holder, name, outcome).catch((error) => {
      isSure = false;
      throw error;
    });
    if (!isSaved) throw lost(id);
    recorded.set(name, outcome);
  };

  const result = async (outcome: Outcome, name: string): Promise<unknown> => {
    const opened = await outcomes.load(store, outcome, context);
    if ('error' in opened) throw opened.error;
    if ('value' in opened) return opened.value;
    // Without the record's id: the step is done, the record is not.
    const why = `step "${name}" is done, but its value was not kept: ${opened.unavailable}`;
    throw new IdempotencyError('RESULT_UNAVAILABLE', why);
  };

  return {
    isSure: () => isSure,

    async run(name, fn) {
      const earlier = recorded.get(name);
      if (earlier) return result(earlier, name);
      if (!room.take(name)) throw misuse(`step "${name}" has no room in the record: it has too many steps`);
      let value: unknown;
      try {
        value = await fn({
          key: effectKey(id, name),
          attempt,
          get signal() {
            return lease.signal();
          },
        });
      } catch (error) {
        if (isTerminal(error)) {
          await save(name, (await outcomes.ofError(error, context)).outcome).catch(() => {}); // the error is what the handler gets
        } else room.settle(name);
        throw error;
      }
      const kept = await outcomes.ofValue(value, context);
      await save(name, kept.outcome);
      return kept.value;
    },
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
    // Refused for good. That the step is done must still be on record.
    if (!isIdempotencyError(error) || error.retryable) throw error;
    return saveStep(holder, name, withoutBody(outcome, 'its record was refused'));
  }
}

/** Resolves when the work has ended, or when `ms` are over. */
export function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timeout = setTimeout(resolve, Math.min(LONGEST_TIMER, Math.max(0, ms)));
    const end = (): void => {
      clearTimeout(timeout);
      resolve();
    };
    work.then(end, end);
  });
}

/** Throws `MISUSE` for an invalid name of a step or a key. */
export function checkedName(name: unknown): string {
  const isText = typeof name === 'string' && name.trim() !== '' && name.length <= 255 && name.isWellFormed();
  if (isText && name !== '__proto__') return name; // the SDK cannot read a map with that key
  throw misuse('the name of a step must be a text of 1 to 255 characters');
}

function lost(id: string): IdempotencyError {
  return new IdempotencyError('LEASE_LOST', 'the lease is over, or another run took the key over', { id });
}
