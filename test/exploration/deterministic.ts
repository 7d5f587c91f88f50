import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

/** The world of one run while it is played. */
export interface World {
  now: number;
  readonly idOf: () => string;
  readonly timerOf: (due: number, fire: () => void) => Timer;
}

export interface Timer {
  readonly unref: () => Timer;
  readonly clear: () => void;
}

let world: World | undefined;

/** What is called in it sees `played` in place of the world: its clock, its randomness, its timers; and warns nobody. */
export async function inWorld<T>(played: World, play: () => Promise<T>): Promise<T> {
  world = played;
  try {
    return await play();
  } finally {
    world = undefined;
  }
}

/** Makes everything of a run that is not its input be nothing but that, until it is undone. Whatever else runs sees no change. */
export function makeDeterministic(): () => void {
  const { now } = Date;
  const { randomUUID } = crypto;
  const { setTimeout: sleep } = timers;
  const { setTimeout, clearTimeout } = globalThis;
  const { emitWarning } = process;
  Date.now = () => (world ? world.now : now());
  crypto.randomUUID = () => (world ? (world.idOf() as ReturnType<typeof randomUUID>) : randomUUID());
  timers.setTimeout = ((ms?: number, ...rest: []) =>
    world ? new Promise(() => {}) : sleep(ms, ...rest)) as typeof sleep;
  syncBuiltinESMExports();
  globalThis.setTimeout = ((fire: () => void, ms: number, ...rest: []) =>
    world ? world.timerOf(world.now + ms, () => fire()) : setTimeout(fire, ms, ...rest)) as typeof setTimeout;
  globalThis.clearTimeout = ((timer?: any) =>
    timer?.clear ? timer.clear() : clearTimeout(timer)) as typeof clearTimeout;
  process.emitWarning = ((...args: unknown[]) =>
    world ? undefined : emitWarning(...(args as [string, string]))) as typeof emitWarning;
  return () => {
    Object.assign(Date, { now });
    Object.assign(crypto, { randomUUID });
    Object.assign(timers, { setTimeout: sleep });
    syncBuiltinESMExports();
    Object.assign(globalThis, { setTimeout, clearTimeout });
    Object.assign(process, { emitWarning });
  };
}
