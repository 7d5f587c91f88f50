import { type Caller, courseOf } from './callers.ts';
import { ASSUMED, type Scenario } from './parameters.ts';
import { type End, handlerOf, type Process, type World, worldOf } from './world.ts';

/** Lets callers arrive for some seconds, and each come to its end. */
export function simulate(scenario: Scenario): World {
  const world = worldOf(scenario);
  const due = slots(scenario);
  const at = (ms: number, go: () => void): void => {
    due[Math.max(Math.floor(world.now), Math.round(ms))]?.push(go);
  };
  const together = scenario.inBatches ? ASSUMED.batch : 1;
  const arrive = (): void => {
    const own = scenario.inBatches ? { seen: new Set<number>(), busyUntil: 0 } : undefined;
    for (let record = 0; record < together; record++) start(world, callerOf(world, own), at);
  };
  for (let ms = 0; ms < ASSUMED.seconds * 1_000; ) {
    at(ms, arrive);
    ms += (-Math.log(1 - world.random()) * 1_000 * together) / world.rate;
  }
  for (; world.now < due.length; world.now++) for (const go of due[world.now] ?? []) go();
  return world;
}

/** What is due in each ms, until the last caller has given up. */
function slots(scenario: Scenario): (() => void)[][] {
  const last = ASSUMED.seconds * 1_000 + ASSUMED.invocation + handlerOf(scenario)[1];
  return Array.from({ length: last + 1_000 }, () => []);
}

function start(world: World, caller: Caller, at: (ms: number, go: () => void) => void): void {
  const { tally } = world;
  const begun = world.now;
  const idle: Partial<Record<End, number>> = {
    ran: caller.handler + 2 * ASSUMED.request,
    replayed: ASSUMED.request,
    cached: 0,
  };
  const course = courseOf(world, caller);
  const go = (): void => {
    const { done, value } = course.next();
    if (done) {
      tally.ends[value] += 1;
      if (idle[value] !== undefined) tally.added.push(world.now - begun - idle[value]);
    } else at(world.now + value, go);
  };
  tally.arrived += 1;
  go();
}

/** Who comes next; `own`: in which process. */
function callerOf(world: World, own: Process | undefined): Caller {
  const { scenario, random, now } = world;
  const key = keyOf(world);
  const partition = scenario.keys === 'new' ? key % world.partitions : key;
  const [least, most] = handlerOf(scenario);
  const handler = Math.round(least + (most - least) * random());
  return { key, partition, handler, process: own ?? processOf(world, key), deadline: now + ASSUMED.invocation };
}

function keyOf(world: World): number {
  const { scenario, random, partitions, completed } = world;
  switch (scenario.keys) {
    case 'one':
      return Math.floor(random() * partitions); // of several storms
    case 'skewed':
      return Math.floor(ASSUMED.keys ** random()) - 1; // the inverse of the sum of 1/n, which grows as the logarithm
    case 'new':
      if (random() < (scenario.duplicates ?? 0) && completed.length > 0) return pick(world, completed);
      return Math.floor(random() * 2 ** 24) * 2 ** 24 + Math.floor(random() * 2 ** 24);
  }
}

/** Storms are apart from each other: each has its part of the processes. */
function processOf(world: World, key: number): Process {
  const { scenario, random, partitions, processes } = world;
  if (scenario.keys !== 'one') return pick(world, processes);
  const each = Math.ceil(processes.length / partitions);
  return processes[Math.min(processes.length - 1, key * each + Math.floor(random() * each))] as Process;
}

function pick<T>({ random }: World, all: readonly T[]): T {
  return all[Math.floor(random() * all.length)] as T;
}
