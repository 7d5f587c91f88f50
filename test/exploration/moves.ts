import { booked } from './books.ts';
import type { Executor, Place, Reply, StoreRequest } from './executor.ts';
import { isDecisive, isGroupable, isOfStore, isStep, nameOf, recordIdOf } from './requests.ts';
import { add, doubt, isRunning, keyed, ownerOf, type State } from './state.ts';
import { type Applied, isDone, type World } from './world.ts';

export interface Move {
  readonly label: string;
  readonly by?: number;
  /** What it did to the world outside. */
  readonly effect?: string;
  /** What reached the store by it. */
  readonly request?: StoreRequest;
  /** Nobody waits for its answer any more. */
  readonly isLate?: boolean;
  readonly make: () => State | Promise<State>;
}

/** All that may happen next. */
export function movesOf(world: World, state: State): Move[] {
  const moves = world.programs.flatMap((_, i) => movesBy(world, state, i));
  moves.push(...lateMoves(world, state), ...deletions(state), ...lostGroups(world, state));
  // Before anybody has come, time is nobody's.
  if (state.time < world.bounds.time && state.places.some((place) => place)) {
    moves.push({ label: 'a second passes', make: () => ({ ...state, time: state.time + 1 }) });
  }
  return moves;
}

function movesBy(world: World, state: State, i: number): Move[] {
  const place = state.places[i];
  if (!place)
    return mayStart(world, state, i) ? [{ label: `${i} starts`, by: i, make: () => start(world, state, i) }] : [];
  if (!isRunning(state, i)) return [];
  const moves = place.pending.flatMap(({ request, uid }, index): Move[] => {
    const to = { world, state, i, index, uid };
    if (request.kind === 'effect') return effects(to, request.name);
    return request.kind === 'timer' ? timers(to, request.due) : writes(to, request);
  });
  if (state.crashesLeft > 0) moves.push({ label: `${i} dies`, make: () => crash(world, state, i) });
  return moves;
}

/** What an executor waits for in a state: its request `index`, known as `uid`. */
interface Waiting {
  readonly world: World;
  readonly state: State;
  readonly i: number;
  readonly index: number;
  readonly uid: number;
}

// Executors of one program are alike: the first starts first.
function mayStart(world: World, state: State, i: number): boolean {
  return i === 0 || world.program(i) !== world.program(i - 1) || state.places[i - 1] !== undefined;
}

function start(world: World, state: State, i: number): State | Promise<State> {
  return moved(state, i, (world.executors[i] as Executor).start(world.clockOf(state, i)));
}

/** The state `after`, in which the executor is told the reply to its request. */
function told({ world, i, index }: Waiting, after: State, reply: Reply, key: string): State | Promise<State> {
  const executor = world.executors[i] as Executor;
  return moved(after, i, executor.tell(after.places[i] as Place, index, reply, key, world.clockOf(after, i)));
}

function moved(state: State, i: number, place: Place | Promise<Place>): State | Promise<State> {
  if (place instanceof Promise) return place.then((there) => moved(state, i, there));
  return { ...state, places: state.places.with(i, place) };
}

function effects(to: Waiting, name: string): Move[] {
  const { world, state, i } = to;
  const { key, endings, reconcile } = world.program(i);
  return endings.map((ending) => {
    const hasLooked = name === 'look' && ending === 'return' && ownerOf(state.keys[key]?.record?.record) === i;
    const known = reconcile && 'value' in reconcile ? 'though it was found' : '';
    const counted = add(hasLooked ? keyed(state, key, { unknown: known }) : state, key, {
      ...(name.startsWith('step') ? { steps: 1 } : name === 'work' ? { work: 1 } : {}),
      ...(name.startsWith('step') && ending === 'fail' && { stepsAllowed: 1 }), // not recorded, and the run fails
    });
    return {
      label: `${i} does "${name}"${ending === 'return' ? '' : `, and throws a ${ending} error`}`,
      by: i,
      effect: name,
      make: () => told(to, counted, { ending }, ending),
    };
  });
}

function timers(to: Waiting, due: number): Move[] {
  const { world, state, i } = to;
  if (world.clockOf(state, i) < due) return [];
  return [{ label: `${i}'s timer fires`, by: i, make: () => told(to, state, { fired: true }, 'fired') }];
}

function writes(to: Waiting, request: StoreRequest): Move[] {
  const { world, state, i, uid } = to;
  const name = nameOf(request);
  const move = (what: string, make: Move['make']): Move => ({ label: `${i}'s ${what}`, by: i, request, make });
  const once = world.apply(state, i, request, uid);
  const answer = ({ reply, replyKey }: Applied, after: State) => told(to, after, reply, replyKey);
  const moves = [
    move(`${name} ${isDone(once) ? 'lands' : 'loses'}`, () =>
      answer(once, booked(world, state, i, request, once.after)),
    ),
  ];
  if (world.bounds.refusals && request.kind === 'transact' && isDone(once)) {
    const make = () => told(to, state, { refused: true }, 'refused');
    moves.push({ label: `${i}'s writes are refused`, by: i, make });
  }
  if (state.faultsLeft === 0) return moves;
  const faulty = { ...state, faultsLeft: state.faultsLeft - 1 };
  if (isDone(once)) {
    const again = () => {
      const first = booked(world, faulty, i, request, once.after);
      const second = world.apply(first, i, request, uid);
      return answer(second, booked(world, first, i, request, second.after));
    };
    moves.push(move(`${name} lands, the answer is lost, the SDK sends it again`, again));
  }
  const make = () => told(to, unanswered(to, faulty, request), { unavailable: true }, 'unavailable');
  return [...moves, { label: `${i}'s ${name} is not answered`, by: i, make }];
}

/** Its sender gives it up, and it may land yet. */
function unanswered({ world, i, uid }: Waiting, state: State, request: StoreRequest): State {
  const explained = { allowed: 1, ...(isStep(request) && { stepsAllowed: 1 }) };
  const gone = isDecisive(request) ? doubt(add(state, world.program(i).key, explained), i) : state;
  return { ...gone, inFlight: [...gone.inFlight, { by: i, request, uid }] };
}

/** Two writes that went in one request, which is not answered. */
function lostGroups(world: World, state: State): Move[] {
  if (!world.bounds.groups || state.faultsLeft === 0) return [];
  const all = world.programs.flatMap((_, i) =>
    isRunning(state, i)
      ? (state.places[i] as Place).pending.flatMap(({ request, uid }, index) =>
          isGroupable(request) ? [{ to: { world, state, i, index, uid }, request }] : [],
        )
      : [],
  );
  return all.flatMap(({ to, request }, at) =>
    all
      .slice(at + 1)
      .filter((other) => other.to.i !== to.i && recordIdOf(other.request) !== recordIdOf(request))
      .map((other) => ({
        label: `the group of ${to.i}'s ${nameOf(request)} and ${other.to.i}'s ${nameOf(other.request)} is not answered`,
        make: async () => {
          const faulty = { ...state, faultsLeft: state.faultsLeft - 1 };
          const first = await told(to, unanswered(to, faulty, request), { unavailable: true }, 'unavailable');
          return told(other.to, unanswered(other.to, first, other.request), { unavailable: true }, 'unavailable');
        },
      })),
  );
}

function crash(world: World, state: State, i: number): State {
  const place = state.places[i] as Place;
  const flying = place.pending.flatMap(({ request, uid }) => (isOfStore(request) ? [{ by: i, request, uid }] : []));
  const crashed = {
    ...state,
    crashed: state.crashed.with(i, true),
    inFlight: [...state.inFlight, ...flying],
    crashesLeft: state.crashesLeft - 1,
  };
  return place.entered ? add(crashed, world.program(i).key, { allowed: 1, stepsAllowed: 1 }) : crashed;
}

function lateMoves(world: World, state: State): Move[] {
  return state.inFlight.flatMap(({ by, request, uid }, at) => {
    const applied = world.apply(state, by, request, uid);
    if (!isDone(applied)) return []; // like one that never lands
    const landed = { ...state, inFlight: state.inFlight.filter((_, other) => other !== at) };
    const make = () => booked(world, landed, by, request, applied.after);
    return [{ label: `${by}'s ${nameOf(request)} lands late`, by, request, isLate: true, make }];
  });
}

function deletions(state: State): Move[] {
  return Object.entries(state.keys).flatMap(([key, { record }]) => {
    const { expiresAt } = record?.record ?? {};
    if (expiresAt === undefined || expiresAt > state.time) return [];
    return [{ label: 'TTL deletes the record', make: () => keyed(state, key, { record: undefined }) }];
  });
}
