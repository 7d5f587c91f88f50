import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { promiseHooks } from 'node:v8';

/** What was made and called, by name. */
export type Calls = Record<(typeof NAMES)[number], number>;

const NAMES = ['promises', 'timers', 'abort controllers', 'JSON.stringify', 'JSON.parse', 'hashes'] as const;

type Function = (...args: any[]) => any;

/** All that is called in this process meanwhile. */
export async function callsDuring(work: () => Promise<void>): Promise<Calls> {
  const calls = Object.fromEntries(NAMES.map((name) => [name, 0])) as Calls;
  const restore = [
    spied(globalThis, 'setTimeout', () => calls.timers++),
    spied(timers, 'setTimeout', () => calls.timers++),
    spied(AbortSignal, 'timeout', () => calls['abort controllers']++),
    spied(AbortSignal, 'any', () => calls['abort controllers']++),
    spied(JSON, 'stringify', () => calls['JSON.stringify']++),
    spied(JSON, 'parse', () => calls['JSON.parse']++),
    spied(crypto, 'createHash', () => calls.hashes++),
    spied(crypto, 'hash', () => calls.hashes++),
    countedControllers(() => calls['abort controllers']++),
  ];
  syncBuiltinESMExports(); // so that what was imported by name is counted, too
  const stop = promiseHooks.onInit(() => calls.promises++);
  try {
    await work();
  } finally {
    stop();
    for (const undo of restore) undo();
    syncBuiltinESMExports();
  }
  return calls;
}

function spied<T extends object>(on: T, name: keyof T & string, count: () => void): () => void {
  const real = on[name];
  on[name] = function (this: unknown, ...args: unknown[]) {
    count();
    return (real as Function).apply(this, args);
  } as T[typeof name];
  return () => {
    on[name] = real;
  };
}

function countedControllers(count: () => void): () => void {
  const Real = globalThis.AbortController;
  globalThis.AbortController = class extends Real {
    constructor() {
      super();
      count();
    }
  };
  return () => {
    globalThis.AbortController = Real;
  };
}
