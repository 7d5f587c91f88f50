import type { Fault } from '../../local/fault-proxy.ts';
import type { Kill } from './plan.ts';
import type { Recognised } from './requests.ts';

/** A request of a function, as the proxy saw it. Times are epoch ms. */
export interface Entry extends Recognised {
  readonly at: number;
  readonly worker: number;
  readonly invocation: string;
  readonly fault?: Fault | undefined;
  /** It was applied then, and answered so, though perhaps nobody heard of it. */
  answered?: { readonly at: number; readonly status: number };
}

/** A worker that was killed. */
export interface Killed {
  readonly plan: Kill;
  readonly at: number;
  readonly worker: number;
  readonly invocation: string;
}

export interface Log {
  readonly entries: readonly Entry[];
  readonly kills: readonly Killed[];
  /** What the saboteur could not do. */
  readonly failures: readonly string[];
}

export function isApplied({ answered }: Entry): boolean {
  return answered?.status === 200;
}
