import { type Duration, durationOf } from '../core/duration.ts';
import { IdempotencyError, misuse } from '../core/errors.ts';
import { type Around, type Call, intercepted, type Store } from '../core/store.ts';
import { nameOf, type Operation, operationOf, writerOf } from './calls.ts';

/**
 * What an operation meets, as its last word: the runtime does not try it again. `'refuse'`: it is not applied, and throws a
 * `STORE_UNAVAILABLE` that says so; `'loseAnswer'`: it is applied, and throws one that does not; `'crash'`: the run dies before it;
 * `'crashAfter'`: the run dies when it is applied, before it hears of it; `delay`: it is applied when that has passed, by
 * `setTimeout`, or when the promise resolves.
 */
export type Fault = 'refuse' | 'loseAnswer' | 'crash' | 'crashAfter' | { readonly delay: Duration | Promise<unknown> };

export interface Faults {
  /**
   * What the next calls of an operation meet, one each; calls beyond go through. `insert` claims, `replace` takes over,
   * `update` completes, releases, extends or records a step, `transact` commits, `keep` writes a large value and `load` reads it,
   * `read` reads a record.
   *
   * Throws `MISUSE` for an operation that the store does not have, and for what is no fault.
   */
  next(operation: Operation, ...faults: [Fault, ...Fault[]]): void;
}

/**
 * A store that fails on command: `store.next('update', 'loseAnswer')`. Everything else of it is as it was.
 *
 * A run that has died never hears of its operation again, nor of any later one: its promise stays pending, so do not await it.
 *
 * @example
 * const store = faulty(memoryStore());
 * store.next('update', 'loseAnswer'); // the completion lands, and its run is told that it did not
 */
export function faulty<S extends Store>(store: S): S & Faults {
  const { write, writeAll, transact, keep, load, read, ...rest } = store;
  const pending: Partial<Record<Operation, Fault[]>> = {
    ...{ insert: [], replace: [], update: [] },
    ...(transact && { transact: [] }),
    ...(keep && { keep: [] }),
    ...(load && { load: [] }),
    ...(read && { read: [] }),
  };
  const dead = new Set<string>();

  const around: Around = (call, send, signal) => {
    const owner = 'write' in call ? writerOf(call.write) : undefined;
    const die = (): Promise<never> => {
      if (owner !== undefined) dead.add(owner);
      // The dead do not lose patience, either: who waits for this signal is behind us.
      signal?.addEventListener('abort', (event) => event.stopImmediatePropagation());
      return new Promise(() => {});
    };
    if (owner !== undefined && dead.has(owner)) return die();
    const fault = pending[operationOf(call)]?.shift();
    return fault === undefined ? send(signal) : met(fault, call, () => send(signal), die);
  };

  return {
    ...(rest as S),
    ...intercepted(store, around),
    next(operation, ...faults) {
      const queue = pending[operation];
      if (!queue)
        throw misuse(`the store has no operation ${shown(operation)}; it has ${Object.keys(pending).join(', ')}`);
      if (faults.length === 0) throw misuse(`next('${operation}') needs a fault`);
      for (const fault of faults) checkFault(fault);
      queue.push(...faults);
    },
  };
}

/** What a call ends with that meets a fault. */
function met<T>(fault: Fault, call: Call, send: () => Promise<T>, die: () => Promise<never>): Promise<T> {
  if (typeof fault === 'object') return passed(fault.delay).then(send);
  const faults: Record<typeof fault, () => Promise<T>> = {
    refuse: async () => unavailable(call, true),
    loseAnswer: () => send().then(() => unavailable(call, false)),
    crash: die,
    crashAfter: () => {
      const ended = die(); // before it is applied: from now on nothing else of the run is
      return send().then(
        () => ended,
        () => ended,
      );
    },
  };
  return faults[fault]();
}

function checkFault(fault: Fault): void {
  const isNamed = ['refuse', 'loseAnswer', 'crash', 'crashAfter'].includes(fault as string);
  const delay = typeof fault === 'object' ? fault?.delay : undefined;
  if (isNamed || delay instanceof Promise) return;
  if (delay === undefined)
    throw misuse(`${shown(fault)} is no fault; expected 'refuse', 'loseAnswer', 'crash', 'crashAfter' or { delay }`);
  durationOf('delay', delay);
}

function passed(delay: Duration | Promise<unknown>): Promise<unknown> {
  if (delay instanceof Promise) return delay;
  return new Promise((resolve) => setTimeout(resolve, durationOf('delay', delay)));
}

// Final: a fault is not met by another try of the same call.
function unavailable(call: Call, isUnwritten: boolean): never {
  const what = isUnwritten ? 'the store refused' : 'no answer to';
  throw new IdempotencyError('STORE_UNAVAILABLE', `${what} ${nameOf(call)}`, { isUnwritten });
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value));
}
