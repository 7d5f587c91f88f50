import { INVARIANTS, type Invariant, type Step } from './invariants.ts';
import { movesOf } from './moves.ts';
import { fingerprintOf, isOver, type State } from './state.ts';
import type { World } from './world.ts';

export interface Report {
  readonly states: number;
  /** Moves from a state to another. */
  readonly moves: number;
  /** States in which everybody has ended or died. */
  readonly ends: number;
  readonly depth: number;
  readonly violation?: Violation;
}

export interface Violation {
  readonly invariant: string;
  readonly what: string;
  readonly history: readonly string[];
  /** Which of the possible moves was made, one after the other. */
  readonly schedule: readonly number[];
}

interface Visit {
  readonly state: State;
  readonly depth: number;
  readonly from?: Visit;
  readonly label?: string;
  readonly choice?: number;
}

/**
 * Every state that can be reached, each once: depth first, or breadth first for the shortest history to a violation. Stops at
 * the first, of any invariant or of the one whose number is given.
 */
export async function explore(world: World, order: 'depth' | 'breadth' = 'depth', only?: number): Promise<Report> {
  const invariants = INVARIANTS.filter(({ says }) => only === undefined || says.startsWith(`${only}.`));
  const initial = world.initial();
  const seen = new Set([fingerprintOf(initial)]);
  const open: Visit[] = [{ state: initial, depth: 0 }];
  let moves = 0;
  let ends = 0;
  let depth = 0;
  const report = (violation?: Violation): Report => ({
    states: seen.size,
    moves,
    ends,
    depth,
    ...(violation && { violation }),
  });

  for (let next = 0; order === 'depth' ? open.length > 0 : next < open.length; next++) {
    const visit = (order === 'depth' ? open.pop() : open[next]) as Visit;
    if (isOver(visit.state)) ends++;
    depth = Math.max(depth, visit.depth);
    for (const [choice, move] of movesOf(world, visit.state).entries()) {
      moves++;
      let state = move.make();
      if (state instanceof Promise) state = await state;
      let broken = firstBroken(invariants, { world, before: visit.state, move, after: state });
      if (broken instanceof Promise) broken = await broken;
      const there: Visit = { state, depth: visit.depth + 1, from: visit, label: move.label, choice };
      if (broken) return report({ ...broken, ...pathOf(there) });
      const key = fingerprintOf(state);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(there);
    }
  }
  return report();
}

type Broken = Pick<Violation, 'invariant' | 'what'> | undefined;

// Nearly always at hand: only what has to be played is waited for.
function firstBroken(invariants: readonly Invariant[], step: Step): Broken | Promise<Broken> {
  const told = invariants.map(({ says, broken }) => ({ invariant: says, what: broken(step) }));
  const late = told.find(({ what }) => what instanceof Promise);
  if (late) return Promise.resolve(late.what).then((what) => first([...told, { ...late, what }]));
  return first(told);
}

function first(told: readonly { readonly invariant: string; readonly what: unknown }[]): Broken {
  const broken = told.find(({ what }) => typeof what === 'string');
  return broken && { invariant: broken.invariant, what: broken.what as string };
}

function pathOf(last: Visit): Pick<Violation, 'history' | 'schedule'> {
  const visits: Visit[] = [];
  for (let visit: Visit | undefined = last; visit?.from; visit = visit.from) visits.unshift(visit);
  return {
    history: visits.map(({ label, state }) => `${`${state.time} s`.padStart(4)}  ${label}`),
    schedule: visits.map(({ choice = 0 }) => choice),
  };
}
