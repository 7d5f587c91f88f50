import type { EndEvent } from '../core/events.ts';
import type { Holder } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Execution } from '../execution.ts';
import type { Settings } from '../options.ts';
import type { Arrival } from './arrival.ts';
import { type Commit, commitOf } from './commit.ts';
import type { Floating } from './floating.ts';
import { type Forgetting, forgettingOf } from './forget.ts';
import type { Lease } from './lease.ts';
import { effectKey, type StepRunner, stepsOf } from './steps.ts';

/** What a handler does to its record before it ends: its steps, its commit, its word that nothing was done. */
interface Effects {
  readonly steps: StepRunner;
  readonly commit: Commit;
  readonly forgetting: Forgetting;
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

function effectsOf(run: EffectsParts): Effects {
  const { isTerminal, outcomes } = run.settings;
  const forgetting = forgettingOf(() => steps.hasBegun() || commit.hasBegun());
  const { bar } = forgetting;
  const onLanded = ({ kind }: Outcome): void => {
    run.lease.stop();
    run.tell({ type: 'completed', by: 'commit', outcome: kind });
  };
  const commit = commitOf({ ...run, outcomes, onLanded, bar });
  const barStep = (): string | undefined => (commit.isDeciding() ? 'after the commit' : bar());
  const steps = stepsOf({ ...run, outcomes, isTerminal, bar: barStep });
  return { steps, commit, forgetting };
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
    id,
    key: run.arrival.key,
    attempt,
    remaining,
    step: (name, fn) => effects().steps.step(name, fn),
    keyFor: (name) => effectKey(id, name),
    commit: (value, writes) => effects().commit.commit(value, writes),
    forget: () => effects().forgetting.forget(),
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
