import { simulate } from './arrivals.ts';
import { ASSUMED, type Scenario } from './parameters.ts';
import type { World } from './world.ts';

/** Throws unless every caller ended exactly once, and no more was written than the table can serve. */
export function checked(world: World): World {
  const { scenario, tally } = world;
  const ended = Object.values(tally.ends).reduce((sum, count) => sum + count, 0);
  if (ended !== tally.arrived) throw new Error(`${scenario.name}: ${tally.arrived} arrived, and ${ended} ended`);
  const { serves, quota = serves, keys } = scenario;
  const most = keys === 'one' ? ASSUMED.partition : Math.min(serves, quota);
  if (units(world) > 1.02 * most) throw new Error(`${scenario.name}: ${units(world)} units a second, of ${most}`);
  return world;
}

const ONE = { name: 'one key', keys: 'one', serves: ASSUMED.quota, handler: 20_000 } as const;

/** Cases whose figures are known beforehand: units a second, the share of throttled tries, requests of a caller. */
const KNOWN: readonly (readonly [what: string, Scenario, figure: (world: World) => number, is: number])[] = [
  ['below capacity two units a caller', { name: 'idle', keys: 'new', rate: 1_000, serves: 4_000 }, units, 2_000],
  ['below capacity nothing is throttled', { name: 'idle', keys: 'new', rate: 1_900, serves: 4_000 }, throttled, 0],
  ['one key at 2,000 claims a second gets 1,000', { ...ONE, rate: 2_000 }, units, 1_000],
  ['500 units and a burst serve 800 claims a second', { ...ONE, rate: 800, provisioned: 500 }, throttled, 0],
  ['a burst is not above the partition', { ...ONE, rate: 2_000, provisioned: 500 }, units, 1_000],
  [
    'ten records in two requests',
    { name: 'SQS', keys: 'new', rate: 1_000, serves: 4_000, inBatches: true, group: true },
    requests,
    0.2,
  ],
];

/** Of all callers in a second. */
export function units(world: World): number {
  return world.tally.counted / world.scale / (ASSUMED.seconds - 1);
}

function throttled({ tally }: World): number {
  return tally.refusals.partition + tally.refusals.table + tally.refusals.quota;
}

function requests({ tally }: World): number {
  return tally.requests / tally.arrived;
}

export function selfCheck(): void {
  for (const [what, scenario, figure, is] of KNOWN) {
    const got = figure(checked(simulate(scenario)));
    if (Math.abs(got - is) > 0.03 * is) throw new Error(`the simulation is wrong: ${what}: expected ${is}, got ${got}`);
  }
}
