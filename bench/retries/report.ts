import { grouped, table } from '../markdown.ts';
import type { Job, Phase } from './jobs.ts';
import { ATTEMPTS, BURSTS, FAILING } from './plan.ts';

/** One p with one number of attempts. */
export interface Row {
  readonly p: number;
  readonly attempts: number;
  /** 1 − pⁿ. */
  readonly expected: number;
  readonly kept: Phase;
  readonly unlimited: Phase;
  readonly keyless: Phase;
}

type Results = readonly (readonly Phase[])[];

export function sequenceRows(jobs: readonly Job[], results: Results): readonly Row[] {
  return FAILING.flatMap((p) =>
    ATTEMPTS.map((attempts) => {
      const found = (budget: boolean, isKeyLost: boolean) =>
        phaseOf(jobs, results, (job) => {
          if (job.kind !== 'sequence' || job.p !== p || job.attempts !== attempts) return false;
          return job.budget === budget && (job.isKeyLost ?? false) === isKeyLost;
        });
      const [kept, unlimited, keyless] = [found(true, false), found(false, false), found(false, true)];
      return { p, attempts, expected: 1 - p ** attempts, kept, unlimited, keyless };
    }),
  );
}

function phaseOf(jobs: readonly Job[], results: Results, isWanted: (job: Job) => boolean): Phase {
  return results[jobs.findIndex(isWanted)]?.[0] as Phase;
}

export function sequenceTable(rows: readonly Row[]): string {
  const headings = [
    'p',
    'attempts',
    '1 − pⁿ',
    'succeeded',
    '95 % interval',
    'requests a call',
    'refused by the budget',
    'without the budget',
    'double effects',
    'double without a key',
  ];
  const cells = rows.map(({ p, attempts, expected, kept, unlimited, keyless }) => [
    `${p}`,
    attempts,
    percent(expected),
    percent(kept.succeeded / kept.calls),
    interval(kept).map(percent).join(' to '),
    (kept.requests / kept.calls).toFixed(3),
    percent(kept.refused / kept.calls),
    percent(unlimited.succeeded / unlimited.calls),
    kept.doubled + unlimited.doubled,
    percent(keyless.doubled / keyless.calls),
  ]);
  return table(headings, cells);
}

export function burstTable(jobs: readonly Job[], results: Results): string {
  const cells = BURSTS.map((size) => {
    const found = (budget: boolean) =>
      phaseOf(jobs, results, (job) => job.kind === 'burst' && job.size === size && job.budget === budget);
    return [grouped(size), ...[found(true), found(false)].flatMap(shares)];
  });
  const columns = ['succeeded', 'requests a call'];
  return table(['calls', ...columns.map((one) => `${one}, budget`), ...columns.map((one) => `${one}, none`)], cells);
}

export function outageTable(jobs: readonly Job[], results: Results): string {
  const [kept = [], unlimited = []] = jobs.flatMap(({ kind }, index) =>
    kind === 'outage' ? [results[index] ?? []] : [],
  );
  const cells = kept.map((phase, index) => [phase.name, ...[phase, unlimited[index] as Phase].flatMap(shares)]);
  const columns = ['succeeded', 'requests a call'];
  return table(['calls', ...columns.map((one) => `${one}, budget`), ...columns.map((one) => `${one}, none`)], cells);
}

function shares({ succeeded, calls, requests }: Phase): string[] {
  return [percent(succeeded / calls), (requests / calls).toFixed(2)];
}

/** What must not be, in words. */
export function violations(jobs: readonly Job[], results: Results): string[] {
  const doubled = jobs.flatMap((job, index) => {
    const count = (results[index] ?? []).reduce((sum, phase) => sum + phase.doubled, 0);
    const isKeyLost = job.kind === 'sequence' && job.isKeyLost;
    return count > 0 && !isKeyLost ? [`${count} calls with a wrong number of effects: ${JSON.stringify(job)}`] : [];
  });
  const rest = sequenceRows(jobs, results).flatMap(({ p, attempts, expected, kept, unlimited, keyless }) => {
    const where = `p = ${p}, ${attempts} attempts`;
    const [least = 0, most = 1] = interval(unlimited, 4.5);
    return [
      ...(expected < least || expected > most ? [`${where}: ${unlimited.succeeded} of ${unlimited.calls}`] : []),
      ...(p <= 0.2 && kept.refused / kept.calls >= 0.0005 ? [`${where}: ${kept.refused} refused by the budget`] : []),
      ...(attempts > 1 && keyless.doubled === 0 ? [`${where}: nothing is doubled without a key, which cannot be`] : []),
    ];
  });
  return [...doubled, ...rest];
}

/** Wilson's; `z`: 1.96 for 95 %. */
export function interval({ succeeded, calls }: Phase, z = 1.96): readonly [number, number] {
  const share = succeeded / calls;
  const middle = share + z ** 2 / (2 * calls);
  const half = z * Math.sqrt((share * (1 - share)) / calls + z ** 2 / (4 * calls ** 2));
  const scale = 1 + z ** 2 / calls;
  return [(middle - half) / scale, (middle + half) / scale];
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
