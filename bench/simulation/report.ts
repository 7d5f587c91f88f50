import { grouped, table } from '../markdown.ts';
import { units } from './check.ts';
import { ASSUMED, SOURCES } from './parameters.ts';
import type { World } from './world.ts';

export function sourceTable(): string {
  const rows = SOURCES.map(([what, value, unit, source]) => [what, `${grouped(value)} ${unit}`, source]);
  return table(['what', 'value', 'source'], rows);
}

export function loadTable(worlds: readonly World[]): string {
  const headings = [
    'load',
    'callers a second',
    'the table serves',
    'write units a second',
    'tries throttled',
    'tries a caller',
    'answered',
    'refused',
    'throttled out',
    'waited more, p50',
    'p99',
    'outcomes lost, of runs',
    'breaks first',
  ];
  return table(headings, worlds.map(loadRow));
}

function loadRow(world: World): string[] {
  const { scenario, tally } = world;
  const { arrived, ends, tries, unsure } = tally;
  return [
    scenario.name,
    grouped(scenario.rate),
    grouped(scenario.keys === 'one' ? ASSUMED.partition : Math.min(scenario.serves, scenario.quota ?? scenario.serves)),
    grouped(rounded(units(world))),
    percent(throttled(world), tries),
    (tries / arrived).toFixed(1),
    percent(ends.ran + ends.replayed + ends.cached, arrived),
    percent(ends.refused, arrived),
    percent(ends['throttled out'], arrived),
    quantile(world, 0.5),
    quantile(world, 0.99),
    percent(unsure, ends.ran),
    throttled(world) === 0 ? 'nothing' : reason(world),
  ];
}

export function batchTable(worlds: readonly World[]): string {
  const rows = worlds.map((world) => {
    const { scenario, tally } = world;
    const { name, group } = scenario;
    const perRecord = (counted: number): string => (counted / tally.arrived).toFixed(2);
    const perBatch = (ASSUMED.batch * tally.requests) / tally.arrived;
    return [
      name,
      group ? 'in groups' : 'one by one',
      perBatch.toFixed(1),
      perRecord(tally.written),
      perRecord(tally.read),
      quantile(world, 0.5),
    ];
  });
  return table(
    ['records', 'writes', 'requests a batch', 'write units a record', 'read units a record', 'waited more, p50'],
    rows,
  );
}

/** How long an on-demand table needs until it serves a load that comes at once. */
export function growthTable(): string {
  const rows = [1_000, 10_000, 100_000, 1_000_000].map((rate) => {
    const units = 2 * rate;
    const doublings = Math.max(0, Math.ceil(Math.log2(units / ASSUMED.newTable)));
    const quota = units > ASSUMED.quota ? 'to be raised' : 'enough';
    return [rate, units, units / ASSUMED.partition, doublings * ASSUMED.doublesIn].map(grouped).concat(quota);
  });
  return table(
    ['first runs a second', 'write units a second', 'partitions', 'minutes at most, from new', 'quota'],
    rows,
  );
}

function throttled({ tally }: World): number {
  return tally.refusals.partition + tally.refusals.table + tally.refusals.quota;
}

function reason({ scenario, tally }: World): string {
  const { partition, table: rest, quota } = tally.refusals;
  if (quota > partition + rest) return 'the quota of the account';
  return scenario.keys === 'new' ? 'the table: too few partitions yet' : 'the partition of the key';
}

function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : (100 * part) / whole;
  return `${share > 0 && share < 1 ? '<1' : Math.round(share)} %`;
}

/** Of the ms that answered callers waited longer than on an idle table. */
function quantile({ tally }: World, part: number): string {
  const sorted = tally.added.toSorted((a, b) => a - b);
  return `${grouped(rounded(sorted[Math.floor(part * (sorted.length - 1))] ?? 0))} ms`;
}

/** Two digits: more would say more than is known. */
function rounded(figure: number): number {
  return Number(figure.toPrecision(2));
}
