import { patienceFor, RESERVE_MS } from '../../src/core/patience.ts';
import { ASSUMED } from './parameters.ts';
import { departure, type End, type Process, type World } from './world.ts';

/** What a caller does: yields the ms until it goes on. */
type Course<T> = Generator<number, T, void>;

/** Who comes, with what, and where. */
export interface Caller {
  readonly key: number;
  readonly partition: number;
  readonly process: Process;
  /** Ms that its handler works, if it runs. */
  readonly handler: number;
  readonly deadline: number;
}

/** `patient` of `src/core/patience.ts` for one caller; its time is the world's. */
function* persistently(world: World, caller: Caller, ms: number, isClaim: boolean): Course<boolean> {
  const begun = world.now;
  for (let longest = 50; ; longest = Math.min(2 * longest, 1_000)) {
    if (yield* written(world, caller, isClaim)) return true;
    const left = ms - (world.now - begun);
    if (left <= 0) return false;
    yield Math.min(left, longest * (0.5 + world.random() / 2));
  }
}

/** One try. */
function* written(world: World, caller: Caller, isClaim = true): Course<boolean> {
  const { tally, table, records } = world;
  const group = departure(world, caller.process);
  yield group.leaves - world.now + ASSUMED.request;
  tally.tries += 1;
  const refusal = table.write(caller.partition, world.now);
  if (refusal) {
    tally.refusals[refusal] += 1;
    return false;
  }
  tally.written += 1;
  if (isCounted(world)) tally.counted += 1;
  if (isClaim && group.size > 1 && records.has(caller.key)) {
    // The refusal of a statement does not bring the record in the way.
    tally.read += 1;
    if (!group.hasRead) tally.requests += 1;
    group.hasRead = true;
    yield ASSUMED.request;
  }
  return true;
}

// In the first second each bucket is still full.
function isCounted({ now }: World): boolean {
  return now >= 1_000 && now < ASSUMED.seconds * 1_000;
}

/** One caller from its arrival to its end: `once` of `src/run/begin.ts`. */
export function* courseOf(world: World, one: Caller): Course<End> {
  const { records, scenario, tally } = world;
  if (scenario.cache && one.process.seen.has(one.key)) return 'cached';
  if (!(yield* persistently(world, one, patienceFor('claim', ASSUMED.invocation), true))) return 'throttled out';
  if (records.get(one.key) === false) {
    if (scenario.onConflict !== 'wait' || !(yield* polled(world, one))) return 'refused';
  }
  if (records.get(one.key)) {
    one.process.seen.add(one.key);
    return 'replayed';
  }
  records.set(one.key, false);
  yield one.handler;
  if (yield* persistently(world, one, patienceFor('run', one.deadline - world.now), false)) {
    records.set(one.key, true);
    world.completed.push(one.key);
    one.process.seen.add(one.key);
  } else tally.unsure += 1;
  return 'ran';
}

/** `polled` of `src/run/begin.ts`; no lease ends while it is simulated. False: there is still a conflict. */
function* polled(world: World, one: Caller): Course<boolean> {
  const until = one.deadline - RESERVE_MS;
  for (let longest = 50; world.now < until; ) {
    yield Math.min(longest * (0.5 + world.random() / 2), until - world.now);
    const isTold = yield* written(world, one);
    if (isTold && world.records.get(one.key)) return true;
    longest = Math.min((isTold ? 1.3 : 3) * longest, 5_000);
  }
  return false;
}
