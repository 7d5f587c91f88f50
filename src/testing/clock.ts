import { type Duration, durationOf } from '../core/duration.ts';
import { install } from './stand-in.ts';
import { turn, virtualTime } from './virtual-time.ts';

/** The clock of the process, in the hands of a test. */
export interface TestClock {
  /** Epoch ms. */
  now(): number;
  /**
   * Moves the clock on: leases end, records expire, and what timers are due on the way fire in their order. Resolves when what
   * they set in motion has come to rest. Throws `CONFIG_INVALID` for what is no duration, and what a timer throws.
   */
  advance(by: Duration): Promise<void>;
  /** Gives the process its own time back. Timers that were set by the test clock never fire any more. */
  restore(): void;
  /** As `restore`, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Replaces the time of the process until it is restored: `Date`, `setTimeout` with `clearTimeout`, also those of `node:timers`, and the
 * `setTimeout` of `node:timers/promises`. It stands still unless advanced. `setInterval` and `setImmediate` are left alone.
 *
 * `start`: epoch ms or a Date; default: now. Needs no test runner, and replaces the fake timers of one: with those installed,
 * or a second clock, it throws `MISUSE`.
 *
 * @example
 * using clock = testClock();
 * await clock.advance('31s'); // a lease of 30 s is over
 */
export function testClock(start: Date | number = Date.now()): TestClock {
  const time = virtualTime(Number(start));
  const restore = install(time);
  return {
    now: time.now,
    advance: async (by) => {
      const at = time.now() + durationOf('advance', by);
      await time.advanceTo(at);
      await turn();
    },
    restore,
    [Symbol.dispose]: restore,
  };
}
