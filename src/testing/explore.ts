import { asGiven, checkHandler, count, duration, isFunction, parsed, that } from '../core/check.ts';
import type { Duration } from '../core/duration.ts';
import { IdempotencyError } from '../core/errors.ts';
import type { Store, TransactWrite } from '../core/store.ts';
import type { Effects, Wrapped } from './effects.ts';
import type { Handler } from './lambda.ts';
import { type Played, play } from './play.ts';
import { quietly } from './quiet.ts';
import { type Report, reportOn, type Schedule } from './report.ts';
import { COMMIT, type Mishap, type Place, type Setting } from './scene.ts';
import { replaced } from './stand-in.ts';

type AnyHandler = (event: any, context: any) => unknown;
type EventOf<H extends AnyHandler> = Parameters<H> extends [] ? unknown : Parameters<H>[0];

export interface ExploreOptions<H extends AnyHandler, E extends Effects> {
  /** What is delivered; each delivery gets a copy. It must carry its idempotency key. */
  readonly event: EventOf<H>;
  /**
   * What the handler does to the world, by names; stubs that answer without input or output. Those that keep state are best
   * made anew for each schedule, by a function. A commit is counted as an effect by itself, named `commit`.
   */
  readonly effects: E | (() => E);
  /** Applies the writes of a commit, see {@link MemoryStoreOptions}. */
  readonly transact?: (writes: readonly TransactWrite[]) => void;
  /**
   * The function's timeout.
   * @default '30s'
   */
  readonly timeout?: Duration;
  /**
   * Faults in one schedule. Each adds about as many schedules to each as there are with one: seconds with 2, minutes with 3.
   * @default 1
   */
  readonly faults?: 1 | 2 | 3;
  /**
   * How often the event is delivered before the handler is taken to be stuck.
   * @default 5
   */
  readonly deliveries?: number;
}

const isEffects = (value: unknown): boolean => isFunction(value) || (typeof value === 'object' && value !== null);

const OPTIONS = {
  event: asGiven,
  effects: that<Effects | (() => Effects)>(isEffects, 'effects by their names'),
  transact: that<(writes: readonly TransactWrite[]) => void>(isFunction, 'a function of the writes'),
  timeout: duration,
  faults: that<1 | 2 | 3>((value) => value === 1 || value === 2 || value === 3, '1, 2 or 3'),
  deliveries: count,
};

/**
 * Is a handler safe to retry? Runs it again and again, each time in an empty world: without a fault, and with a crash before
 * and after, and a lost answer of, each call of the store and each effect. After a crash the clock goes past the lease, and the
 * event comes again until it has got an outcome, and then once more. Reports what happened more than once.
 *
 * `build` makes the handler (by `idempotent`, `idempotentBatch`, Middy, or any other) on the store and the effects that it is
 * given; it is called once for each process, a crash ends one. Inside, `Date` and `setTimeout` are the explorer's.
 *
 * Throws `CONFIG_INVALID` for options it does not have, `MISUSE` where even without a fault there is no outcome or no effect, where the
 * handler waits for what is neither an effect nor a timer, and with the fake timers of a test runner installed.
 *
 * @example
 * const report = await explore(({ store, effects }) => createHandler(store, effects.charge), {
 *   event: { orderId: 'o-1' },
 *   effects: { charge: async (orderId: string) => `charge of ${orderId}` },
 * });
 * report.assert();
 */
export async function explore<H extends AnyHandler, E extends Effects>(
  build: (world: { readonly store: Store; readonly effects: Wrapped<E> }) => H | Promise<H>,
  options: ExploreOptions<H, E>,
): Promise<Report> {
  checkHandler('explore', build);
  const setting = settingOf(build, options);
  const restore = replaced();
  try {
    return await quietly(() => explored(setting, options.faults ?? 1));
  } finally {
    restore();
  }
}

async function explored(setting: Setting, faults: number): Promise<Report> {
  const clean = await play(setting, new Map());
  if (clean.ending !== 'done') throw vacuous('even without a fault the event gets no outcome', clean);
  if (clean.first.size === 0) throw vacuous('even without a fault no effect happens: the handler calls others', clean);
  const schedules: (Schedule & { readonly mishaps: ReadonlyMap<number, Mishap> })[] = [
    { point: 'without a fault', played: clean, mishaps: new Map() },
  ];
  for (const { played, mishaps } of schedules) {
    if (mishaps.size === faults) continue;
    const last = Math.max(-1, ...mishaps.keys());
    for (const [index, place] of played.places.entries()) {
      if (index <= last) continue;
      for (const mishap of place.mishaps) {
        const more = new Map(mishaps).set(index, mishap);
        const next = await play(setting, more);
        schedules.push({ point: pointOf(next.places, more), played: next, mishaps: more });
      }
    }
  }
  return reportOn(clean, schedules);
}

function pointOf(places: readonly Place[], mishaps: ReadonlyMap<number, Mishap>): string {
  const names = places.map(({ name }) => name);
  const points = [...mishaps].map(([index, mishap]) => {
    const earlier = names.slice(0, index).filter((name) => name === names[index]).length;
    return `${mishap} ${names[index]}${earlier > 0 ? ` (${earlier + 1})` : ''}`;
  });
  return points.join(', then ');
}

function settingOf(build: unknown, options: ExploreOptions<AnyHandler, Effects>): Setting {
  const { event, effects = {}, transact, timeout = 30_000, deliveries = 5 } = parsed('explore', options, OPTIONS);
  const made = (): Effects => checked(typeof effects === 'function' ? effects() : effects);
  made();
  return {
    build: build as (world: unknown) => Handler,
    event,
    effects: made,
    transact,
    timeout,
    start: Date.now(),
    deliveries,
  };
}

function checked(effects: Effects): Effects {
  for (const [name, effect] of Object.entries(effects)) {
    if (name === COMMIT) throw invalid(`an effect cannot be named '${COMMIT}': that is what commits are counted as`);
    const { run, key } = typeof effect === 'function' ? { run: effect, key: effect } : (effect ?? {});
    if (!isFunction(run) || !isFunction(key)) throw invalid(`the effect '${name}' must be a function, or { run, key }`);
  }
  return effects;
}

// Nothing that happens cannot happen twice: what is not explored must not be found safe.
function vacuous(why: string, { answer, history }: Played): IdempotencyError {
  const cause = answer !== 'died' && 'error' in answer ? answer.error : undefined;
  return new IdempotencyError('MISUSE', [why, ...history].join('\n    '), { cause });
}

function invalid(message: string): IdempotencyError {
  return new IdempotencyError('CONFIG_INVALID', message);
}
