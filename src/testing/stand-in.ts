import { AsyncLocalStorage } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import nodeTimers from 'node:timers';
import promises from 'node:timers/promises';
import { promisify } from 'node:util';
import { misuse } from '../core/errors.ts';
import type { VirtualTime, VirtualTimer } from './virtual-time.ts';

const scoped = new AsyncLocalStorage<VirtualTime>();
const timers = new WeakSet<object>();
let installed: VirtualTime | undefined;
let users = 0;
let undo = (): void => {};

/** What stands in for the process's time where the call comes from; undefined: nothing. */
function current(): VirtualTime | undefined {
  return scoped.getStore() ?? installed;
}

/** Calls `fn` so that it, and what it sets in motion, sees `time`; whatever else runs does not. Only while {@link replaced}. */
export function inTime<T>(time: VirtualTime, fn: () => T): T {
  return scoped.run(time, fn);
}

/** Whether the caller is {@link inTime}. */
export function isInTime(): boolean {
  return scoped.getStore() !== undefined;
}

/** Has the whole process see `time`, until the function it gives is called. Throws `MISUSE` where another does so already. */
export function install(time: VirtualTime): () => void {
  if (installed) throw misuse('a test clock is installed already: restore it first');
  const restore = replaced();
  installed = time;
  return () => {
    if (installed === time) installed = undefined;
    restore();
  };
}

/**
 * Replaces the time of the process by functions that ask for whom they are called, until the function it gives is called.
 * Throws `MISUSE` where somebody else has replaced it.
 */
export function replaced(): () => void {
  if (users === 0) {
    refuseOthers();
    undo = replace();
  }
  users++;
  let isMine = true;
  return () => {
    if (isMine && --users === 0) undo();
    isMine = false;
  };
}

function refuseOthers(): void {
  const isReplaced = !Function.prototype.toString.call(Date.now).includes('[native code]') || 'clock' in setTimeout;
  if (isReplaced) throw misuse('the time is replaced by other fake timers already: use those, or these');
}

function replace(): () => void {
  const { Date: RealDate, setTimeout, clearTimeout } = globalThis;
  const { setTimeout: nodeSetTimeout, clearTimeout: nodeClearTimeout } = nodeTimers;
  const { setTimeout: sleep } = promises;

  const now = (): number => current()?.now() ?? RealDate.now();
  const virtualDate = new Proxy(RealDate, {
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
    construct: (target, args, made) => Reflect.construct(target, args.length > 0 ? args : [now()], made),
    apply: () => new RealDate(now()).toString(),
  });
  const timerOf = (time: VirtualTime, fire: () => void, ms?: number): VirtualTimer => {
    const timer = time.timerOf(fire, ms);
    timers.add(timer);
    return timer;
  };
  const virtualSleep = (ms?: number, value?: unknown, options: SleepOptions = {}): Promise<unknown> => {
    const time = current();
    return time ? slept(timerOf.bind(undefined, time), ms, value, options) : sleep(ms, value, options);
  };
  const virtualSetTimeout = (fire: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): unknown => {
    const time = current();
    return time ? timerOf(time, () => fire(...args), ms) : setTimeout(fire, ms, ...args);
  };
  const virtualClearTimeout = (timer?: any): void => {
    if (typeof timer === 'object' && timer !== null && timers.has(timer)) timer.close();
    else clearTimeout(timer);
  };

  const virtual = {
    setTimeout: Object.assign(virtualSetTimeout, { [promisify.custom]: virtualSleep }),
    clearTimeout: virtualClearTimeout,
  };

  Object.assign(globalThis, { Date: virtualDate, ...virtual });
  Object.assign(nodeTimers, virtual); // by which Middy sets its timers
  Object.assign(promises, { setTimeout: virtualSleep });
  syncBuiltinESMExports();
  return () => {
    Object.assign(globalThis, { Date: RealDate, setTimeout, clearTimeout });
    Object.assign(nodeTimers, { setTimeout: nodeSetTimeout, clearTimeout: nodeClearTimeout });
    Object.assign(promises, { setTimeout: sleep });
    syncBuiltinESMExports();
  };
}

interface SleepOptions {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

function slept(
  timerOf: (fire: () => void, ms?: number) => VirtualTimer,
  ms: number | undefined,
  value: unknown,
  { signal, ref = true }: SleepOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = timerOf(() => resolve(value), ms);
    if (!ref) timer.unref();
    const abort = (): void => {
      timer.close();
      const error = new Error('The operation was aborted', { cause: signal?.reason });
      reject(Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' }));
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
