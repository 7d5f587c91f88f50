import type { EndEvent } from '../core/events.ts';
import type { Holder } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Execution } from '../execution.ts';
import type { Settings } from '../options.ts';
import type { Arrival } from './arrival.ts';
import { type Commit, commitOf } from './commit.ts';
import type { Floating } from './floating.ts';
import { forgetting } from './forget.ts';
import type { Lease } from './lease.ts';
import { effectKey, stepsOf } from './steps.ts';

/** What a handler does to its record before it ends: its steps, its commit, its word that nothing was done. */
export interface Effects
  extends Pick<Execution, 'step' | 'commit' | 'forget'>,
    Pick<Commit, 'ended' | 'committed' | 'doubt'> {
  readonly isForgotten: () => boolean;
  /** Resolves when all begun steps have ended, or shortly before the deadline. False: one may not be on record. */
  readonly finished: () => Promise<boolean>;
  /** As if nothing had been begun, for the handler: what was is `onUnknown`'s, and over when this resolves. */
  readonly resume: () => Promise<void>;
}

/** The parts of a run that they are made of. */
export interface EffectsParts {
  readonly settings: Pick<Settings, 'isTerminal' | 'outcomes'>;
  readonly arrival: Pick<Arrival, 'key'>;
  readonly holder: Holder;
  readonly lease: Lease;
  readonly floating: Floating;
  /** Ms. */
  readonly remaining: () => number;
  readonly tell: (end: EndEvent) => void;
  /** Made when the first of them is used: most handlers use none. */
  effects?: Effects;
}

function effectsOf({ settings, holder, lease, floating, remaining, tell }: EffectsParts): Effects {
  const { isTerminal, outcomes } = settings;
  const { forget, isForgotten, bar, reset } = forgetting(() => steps.hasBegun() || hasBegun());
  const onLanded = ({ kind }: Outcome): void => {
    lease.stop();
    tell({ type: 'completed', by: 'commit', outcome: kind });
  };
  const common = { holder, lease, floating, remaining, outcomes };
  const { commit, ended, committed, doubt, hasBegun, isDeciding } = commitOf({ ...common, onLanded, bar });
  const steps = stepsOf({ ...common, isTerminal, bar: () => (isDeciding() ? 'after the commit' : bar()) });
  const { step, finished } = steps;
  const resume = async (): Promise<void> => {
    await finished();
    steps.resume();
    reset();
  };
  return { step, commit, forget, ended, committed, doubt, isForgotten, finished, resume };
}

/** What the handler of a claimed run is given. */
export function executionOf(run: EffectsParts): Execution {
  const { remaining, lease } = run;
  const { id, attempt } = run.holder.lease;
  const effects = (): Effects => {
    run.effects ??= effectsOf(run);
    return run.effects;
  };
  const execution = {
    key: run.arrival.key,
    attempt,
    remaining,
    step: (name, fn) => effects().step(name, fn),
    keyFor: (name) => effectKey(id, name),
    commit: (value, writes) => effects().commit(value, writes),
    forget: () => effects().forget(),
  } satisfies Omit<Execution, 'signal'>;
  return Object.defineProperties(execution, { [LEASE]: { value: lease }, signal: SIGNAL }) as typeof execution &
    Execution;
}

const LEASE = Symbol('lease');

/** One getter for all runs. A getter of each run's own would make it an object without a shape, a tenth of the time that a run takes. */
const SIGNAL = {
  enumerable: true,
  configurable: true,
  get(this: { readonly [LEASE]: Lease }): AbortSignal {
    return this[LEASE].signal();
  },
};
