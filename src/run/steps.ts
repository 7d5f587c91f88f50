import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LONGEST_TIMER } from '../core/duration.ts';
import { IdempotencyError, isIdempotencyError, misuse } from '../core/errors.ts';
import { derivedKey } from '../core/identity.ts';
import { type Holder, saveStep } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Execution } from '../execution.ts';
import { loaded, type Outcomes } from '../values/outcome.ts';

/** The steps of one run. */
export interface StepRunner extends Pick<Execution, 'step' | 'keyFor'> {
  /** No further step may begin. */
  readonly close: () => void;
  /** Resolves when every begun step has ended, or shortly before there is no time left; false: it is not sure that all were recorded. */
  readonly settled: () => Promise<boolean>;
}

/** What is kept of the time to answer in, when a step does not end. */
const RESERVE_MS = 500;

const TOO_MUCH: Outcome = { kind: 'unavailable', body: 'it does not fit into the record' };

export function stepsOf(
  holder: Holder,
  signal: AbortSignal,
  remaining: () => number,
  isTerminal: (error: unknown) => boolean,
  outcomes: Outcomes,
): StepRunner {
  const { store, lease } = holder;
  const { id, attempt } = lease;
  const names = new Set<string>();
  const begun: Promise<unknown>[] = [];
  let running = 0;
  let isSure = true;
  let isClosed = false;

  const keyFor = (name: string): string => derivedKey(id, checkedName(name));

  const save = async (name: string, ended: Outcome): Promise<void> => {
    const saved = await saveStep(holder, name, ended)
      .catch((error) => {
        // Refused for good, as where the record would grow too large: that it is done must be on record all the same.
        if (isIdempotencyError(error) && !error.retryable) return saveStep(holder, name, TOO_MUCH);
        throw error;
      })
      .catch((error) => {
        isSure = false; // its effect has happened, and may not be on record
        throw error;
      });
    if (!saved) throw lost(id);
  };

  const run: Execution['step'] = async (name, fn) => {
    const earlier = Object.hasOwn(lease.steps, name) ? lease.steps[name] : undefined;
    if (earlier) return outcomes.open(await loaded(store, earlier), (why) => unavailable(name, why)) as any;
    let value: Awaited<ReturnType<typeof fn>>;
    try {
      value = await fn({ key: keyFor(name), attempt, signal });
    } catch (error) {
      if (isTerminal(error)) await save(name, outcomes.ofError(error)).catch(() => {}); // the error is what the handler gets
      throw error;
    }
    await save(name, outcomes.ofValue(value));
    return value;
  };

  return {
    keyFor,

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

    settled: async () => {
      const over = new AbortController();
      const left = Math.min(LONGEST_TIMER, Math.max(0, remaining() - RESERVE_MS));
      const timeout = sleep(left, undefined, { signal: over.signal }).catch(() => {});
      await Promise.race([Promise.allSettled(begun), aborted(signal), timeout]);
      over.abort();
      return isSure && running === 0;
    },
  };
}

/** Those of a run that nobody will recognise again: just run. */
export function unprotectedSteps(signal: AbortSignal): Pick<Execution, 'step' | 'keyFor'> {
  return {
    step: async (name, fn) => {
      checkedName(name);
      return fn({ key: randomUUID(), attempt: 1, signal });
    },
    keyFor: () => {
      throw misuse('a run without a key has no derived keys');
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

/** Refuses with `MISUSE` what is no name of a step or a key. */
export function checkedName(name: unknown): string {
  const isText = typeof name === 'string' && name.trim() !== '' && name.length <= 255 && name.isWellFormed();
  if (isText && name !== '__proto__') return name; // which the SDK cannot read
  throw misuse('the name of a step must be a text of 1 to 255 characters');
}

function lost(id: string): IdempotencyError {
  return new IdempotencyError('LEASE_LOST', 'the lease is over, or another run took the key over', { id });
}

// Without the id of the record, which is not done itself.
function unavailable(name: string, why: string): IdempotencyError {
  return new IdempotencyError('RESULT_UNAVAILABLE', `step "${name}" is done, but its value was not kept: ${why}`);
}
