import { AsyncResource } from 'node:async_hooks';
import { setImmediate } from 'node:timers'; // the real one, whoever replaces the global
import { LONGEST_TIMER } from '../core/duration.ts';

/** A clock that stands still until it is told to move, and the timers that were set by it. */
export interface VirtualTime {
  /** Epoch ms. */
  readonly now: () => number;
  readonly timerOf: (fire: () => void, ms?: number) => VirtualTimer;
  /** Moves on, firing on the way what is due in its order; what it sets in motion comes to rest in between. */
  readonly advanceTo: (at: number) => Promise<void>;
  /** When the next timer is due that would keep a process. */
  readonly nextDue: () => number | undefined;
}

/** As much of a Node timer as has a meaning here. */
export interface VirtualTimer {
  readonly ref: () => VirtualTimer;
  readonly unref: () => VirtualTimer;
  readonly hasRef: () => boolean;
  readonly refresh: () => VirtualTimer;
  readonly close: () => VirtualTimer;
  readonly [Symbol.dispose]: () => void;
}

interface Entry {
  due: number;
  isRef: boolean;
  readonly fire: () => void;
}

export function virtualTime(start: number): VirtualTime {
  const entries = new Set<Entry>();
  let now = start;

  const next = (isWanted: (entry: Entry) => boolean): Entry | undefined =>
    [...entries].filter(isWanted).sort((a, b) => a.due - b.due)[0];

  return {
    now: () => now,

    timerOf(fire, ms = 1) {
      const length = ms >= 1 && ms <= LONGEST_TIMER ? Math.trunc(ms) : 1;
      const entry: Entry = { due: 0, isRef: true, fire: AsyncResource.bind(fire) };
      const timer: VirtualTimer = {
        ref: () => {
          entry.isRef = true;
          return timer;
        },
        unref: () => {
          entry.isRef = false;
          return timer;
        },
        hasRef: () => entry.isRef,
        refresh: () => {
          entries.delete(entry); // the last of those that are due with it
          entry.due = now + length;
          entries.add(entry);
          return timer;
        },
        close: () => {
          entries.delete(entry);
          return timer;
        },
        [Symbol.dispose]: () => entries.delete(entry),
      };
      return timer.refresh();
    },

    async advanceTo(at) {
      for (;;) {
        await turn();
        const entry = next(({ due }) => due <= at);
        if (!entry) break;
        entries.delete(entry);
        now = Math.max(now, entry.due);
        entry.fire();
      }
      now = Math.max(now, at);
    },

    nextDue: () => next(({ isRef }) => isRef)?.due,
  };
}

/** Resolves when all that was set in motion has come to rest, short of timers and input. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
