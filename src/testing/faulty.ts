import { type Duration, durationOf } from '../core/duration.ts';
import { IdempotencyError, misuse } from '../core/errors.ts';
import type { Store } from '../core/store.ts';
import { type Call, intercepted, type Operation } from './intercepted.ts';

/**
 * What an operation meets: `'refuse'`: it is not applied, and throws `STORE_UNAVAILABLE`; `'loseAnswer'`: it is applied, and
 * throws the same; `'crash'`: the run dies before it; `'crashAfter'`: the run dies when it is applied, before it hears of it;
 * `delay`: it is applied when that has passed, by `setTimeout`, or when the promise resolves.
 */
export type Fault = 'refuse' | 'loseAnswer' | 'crash' | 'crashAfter' | { readonly delay: Duration | Promise<unknown> };

export interface Faults {
  /**
   * What the next calls of an operation meet, one each; calls beyond go through. `insert` claims, `replace` takes over,
   * `update` completes, releases, extends or records a step, `transact` commits, `load` reads a large value.
   *
   * Throws `MISUSE` for an operation that the store does not have, and for what is no fault.
   */
  next(operation: Operation, ...faults: [Fault, ...Fault[]]): void;
}

/**
 * A store that fails on command: `store.next('update', 'loseAnswer')`. Everything else of it is as it was.
 *
 * A run that has died never hears of its operation again, nor of any later one: its promise stays pending, so do not await it.
 */
export function faulty<S extends Store>(store: S): S & Faults {
  const pending: Record<Operation, Fault[]> = { insert: [], replace: [], update: [], transact: [], load: [] };
  const dead = new Set<string>();

  const die = <T>({ owner, signal }: Call): Promise<T> => {
    if (owner !== undefined) dead.add(owner);
    // The dead do not lose patience, either: who waits for this signal is behind us.
    signal?.addEventListener('abort', (event) => event.stopImmediatePropagation());
    return new Promise(() => {});
  };

  const around = <T>(call: Call, apply: () => Promise<T>): Promise<T> => {
    if (call.owner !== undefined && dead.has(call.owner)) return die(call);
    const fault = pending[call.operation].shift();
    if (fault === undefined) return apply();
    if (typeof fault === 'object') return passed(fault.delay).then(apply);
    const faults: Record<typeof fault, () => Promise<T>> = {
      refuse: async () => unavailable(call),
      loseAnswer: () => apply().then(() => unavailable(call)),
      crash: () => die(call),
      crashAfter: () => {
        const ended = die<T>(call);
        return apply().then(
          () => ended,
          () => ended,
        );
      },
    };
    return faults[fault]();
  };

  const operations = intercepted(store, around);
  return {
    ...store,
    ...operations,
    next(operation, ...faults) {
      const known = Object.keys(operations);
      if (!known.includes(operation))
        throw misuse(`the store has no operation ${shown(operation)}; it has ${known.join(', ')}`);
      if (faults.length === 0) throw misuse(`next('${operation}') needs a fault`);
      for (const fault of faults) check(fault);
      pending[operation].push(...faults);
    },
  };
}

function check(fault: Fault): void {
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

function unavailable({ name }: Call): never {
  throw new IdempotencyError('STORE_UNAVAILABLE', `no answer to ${name}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value));
}
