import { ASSUMED, type Scenario } from './parameters.ts';

const { newTable, quota } = ASSUMED;

/** Every caller its own key, and one in ten comes again. */
const spread = (rate: number, serves: number, more: Partial<Scenario> = {}): Scenario => ({
  name: 'keys of their own',
  rate,
  keys: 'new',
  serves,
  quota,
  duplicates: 0.1,
  ...more,
});

/** All callers the same key, while its one run works. */
const storm = (rate: number, ms: number, more: Partial<Scenario> = {}): Scenario => ({
  name: `one key, run of ${ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`}${more.onConflict === 'wait' ? ', `wait`' : ''}${more.cache === false ? ', no cache' : ''}`,
  rate,
  keys: 'one',
  serves: quota,
  quota,
  handler: ms,
  cache: true,
  ...more,
});

const skewed = (rate: number, cache: boolean): Scenario => ({
  name: cache ? 'skewed keys' : 'skewed keys, no cache',
  rate,
  keys: 'skewed',
  serves: 4 * rate,
  cache,
});

const batches = (group: boolean, duplicates: number, handler: Scenario['handler']): Scenario => ({
  name: `${duplicates === 0 ? 'new' : '9 of 10 again'}, ${handler === 0 ? 'instant handlers' : 'handlers of 5 to 50 ms'}`,
  rate: 10_000,
  keys: 'new',
  serves: quota,
  inBatches: true,
  group,
  duplicates,
  handler,
});

export const LOADS: readonly Scenario[] = [
  spread(1_000, newTable, { name: 'keys of their own, new table' }),
  spread(10_000, newTable, { name: 'keys of their own, new table' }),
  spread(10_000, 20_000),
  spread(100_000, 200_000),
  spread(100_000, 200_000, { name: 'keys of their own, quota raised', quota: 200_000 }),
  spread(1_000_000, 2_000_000, { name: 'keys of their own, quota raised', quota: 2_000_000 }),
  storm(500, 5_000),
  storm(2_000, 5_000),
  storm(10_000, 5_000),
  storm(10_000, 20, { cache: false }),
  storm(10_000, 20),
  storm(500, 5_000, { onConflict: 'wait' }),
  storm(2_000, 5_000, { onConflict: 'wait' }),
  skewed(10_000, true),
  skewed(100_000, false),
  skewed(100_000, true),
];

export const BATCHES: readonly Scenario[] = [false, true].flatMap((group) => [
  batches(group, 0, 0),
  batches(group, 0, [5, 50]),
  batches(group, 0.9, [5, 50]),
]);
