import type { Fault } from '../../local/fault-proxy.ts';
import type { Kill } from './plan.ts';
import type { Recognised } from './requests.ts';

/** A request of a function, as the proxy saw it. Times are epoch ms. */
export interface Entry extends Recognised {
  readonly at: number;
  readonly worker: number;
  readonly invocation: string;
  /** How many of its kind were asked for, with this one. */
  readonly nth?: number;
  /** What the plan had for it. */
  readonly fault?: Fault | undefined;
  readonly kill?: Kill | undefined;
  /** It was applied then, and answered so, though perhaps nobody heard of it. */
  answered?: { readonly at: number; readonly status: number };
}

/** A worker that was killed. */
export interface Killed extends Pick<Entry, 'at' | 'worker' | 'invocation'> {
  readonly plan: Kill;
}

export interface Log {
  readonly entries: readonly Entry[];
  readonly kills: readonly Killed[];
}

/** The places of an entry among those of its kind: a group has several. */
export function placesOf({ nth = 0, size = 1 }: Pick<Entry, 'nth' | 'size'>): number[] {
  return Array.from({ length: size }, (_, index) => nth + index);
}

export function isApplied({ answered }: Entry): boolean {
  return answered?.status === 200;
}
