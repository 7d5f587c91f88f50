import type { IdempotencyRecord } from '../../src/core/record.ts';
import type { Place, StoreRequest } from './executor.ts';

/** A record, and an id for what is in it. */
export interface Interned {
  readonly uid: number;
  readonly record: IdempotencyRecord;
}

/** What there is of a key: its record, and what happened in its name. */
export interface KeyState {
  readonly record: Interned | undefined;
  /** Records that there were: a key that has expired is a new operation. */
  readonly generations: number;
  /** Effects outside steps, in steps, and, of this record, of committed writes. */
  readonly work: number;
  readonly steps: number;
  readonly commits: number;
  /** Reasons for one more of them than one in a generation. */
  readonly allowed: number;
  readonly stepsAllowed: number;
  /** Bodies of all outcomes that ever were on record. */
  readonly recorded: readonly string[];
  /** Of the record that was first asked for. */
  readonly id: string;
  /** Whether its holder took it from a run that was lost. */
  readonly isTaken: boolean;
  /** What its holder has found out of the run that it took the key from, where it is to look; '': there is nothing to. */
  readonly unknown: '' | 'nobody has looked' | 'though it was found';
}

export interface State {
  /** Seconds. */
  readonly time: number;
  readonly keys: Readonly<Record<string, KeyState>>;
  /** Absent: not started. */
  readonly places: readonly (Place | undefined)[];
  readonly crashed: readonly boolean[];
  /** A write of its run's end may not have landed. */
  readonly doubtful: readonly boolean[];
  /** Requests that nobody waits for any more, and that may land yet. */
  readonly inFlight: readonly InFlight[];
  readonly crashesLeft: number;
  readonly faultsLeft: number;
}

interface InFlight {
  readonly by: number;
  readonly uid: number;
  readonly request: StoreRequest;
}

const UNUSED: KeyState = {
  record: undefined,
  generations: 0,
  work: 0,
  steps: 0,
  commits: 0,
  allowed: 0,
  stepsAllowed: 0,
  recorded: [],
  id: '',
  isTaken: false,
  unknown: '',
};

/** Before anybody has come; `keys`: one for each executor. */
export function initialState(keys: readonly string[], crashes: number, faults: number): State {
  return {
    time: 0,
    keys: Object.fromEntries(keys.map((key) => [key, UNUSED])),
    places: keys.map(() => undefined),
    crashed: keys.map(() => false),
    doubtful: keys.map(() => false),
    inFlight: [],
    crashesLeft: crashes,
    faultsLeft: faults,
  };
}

/** Equal for states from which the same may happen. */
export function fingerprintOf(state: State): string {
  const keys = Object.values(state.keys).map(
    ({ record, generations, work, steps, commits, allowed, stepsAllowed, recorded, isTaken, unknown }) =>
      `${record?.uid ?? 0},${generations},${work},${steps},${commits},${allowed},${stepsAllowed},${recorded},${isTaken},${unknown}`,
  );
  // Who has ended has no future, and nothing of its past is asked for.
  const places = state.places.map((place, i) =>
    state.crashed[i] ? 'x' : place?.result ? 'e' : `${place?.uid}${state.doubtful[i] ? '?' : ''}`,
  );
  const flying = state.inFlight.map(({ uid, by }) => `${by}.${uid}`).sort();
  return `${state.time}|${keys}|${places}|${flying}|${state.crashesLeft}|${state.faultsLeft}`;
}

export function isRunning(state: State, i: number): boolean {
  const place = state.places[i];
  return place !== undefined && !place.result && !state.crashed[i];
}

/** Whether all have started, and nobody is under way. */
export function isOver(state: State): boolean {
  return state.places.every((place, i) => place && !isRunning(state, i));
}

type Counter = 'work' | 'steps' | 'allowed' | 'stepsAllowed';

/** The state with more on the counters of a key. */
export function add(state: State, key: string, more: Partial<Record<Counter, number>>): State {
  const of = state.keys[key] as KeyState;
  const sums = Object.entries(more).map(([name, by]) => [name, of[name as Counter] + by]);
  return keyed(state, key, Object.fromEntries(sums));
}

/** The state with something else of a key. */
export function keyed(state: State, key: string, changed: Partial<KeyState>): State {
  return { ...state, keys: { ...state.keys, [key]: { ...(state.keys[key] as KeyState), ...changed } } };
}

/** The state in which a write of executor `i` may not have landed. */
export function doubt(state: State, i: number): State {
  return { ...state, doubtful: state.doubtful.with(i, true) };
}

/** The executor whose record it is. */
export function ownerOf(record: IdempotencyRecord | undefined): number | undefined {
  return record?.owner === undefined ? undefined : Number.parseInt(record.owner, 10);
}

export function bodyOf(record: IdempotencyRecord): string | undefined {
  if (record.status !== 'COMPLETED' || record.outcome.kind === 'unavailable') return undefined;
  return record.outcome.kind === 'error' ? JSON.stringify(record.outcome.error) : `${record.outcome.body}`;
}
