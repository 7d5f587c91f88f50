import { spawnSync } from 'node:child_process';
import { freshKey } from '../../events.ts';
import { CLIENTS } from '../clients.ts';
import type { Options } from '../part.ts';
import { shuffled } from '../rounds.ts';
import { comparison, type Samples, type Table } from '../table.ts';
import { setting, type Way } from '../ways/way.ts';

const BANDS = [1, 10, 100, 1_000, 4_000];
/** Of the rounds that others have: one takes 10 to 20 s. */
const SHARE = 0.5;

const WAYS = {
  bare: async () => (await import('../ways/bare.ts')).bare,
  powertools: async () => (await import('../ways/powertools.ts')).powertools,
  validating: async () => (await import('../ways/powertools.ts')).validating,
  ours: async () => (await import('../ways/ours.ts')).ours,
} satisfies Record<string, () => Promise<Way>>;

interface Child {
  readonly name: string;
  /** µs of CPU for each invocation of a band. */
  readonly bands: readonly number[];
}

/** CPU of first runs in a young process, as most of Lambda's are: each way alone in processes of its own. */
export async function* measure({ rounds }: Options): AsyncGenerator<Table> {
  const children: Child[] = [];
  for (let round = 0; round < rounds * SHARE; round++) {
    for (const way of shuffled(Object.keys(WAYS))) children.push(spawned(way));
  }
  const names = await Promise.all(Object.values(WAYS).map(async (load) => (await load()).name));
  const samples = BANDS.flatMap((to, band) =>
    names.map((name): Samples => {
      const of = children.filter((child) => child.name === name);
      return { group: bandName(band, to), name, samples: of.map(({ bands }) => bands[band] ?? Number.NaN) };
    }),
  );
  yield comparison(
    'First run, alone in its process, whole SDK (the request handler answers at once)',
    'µs of CPU',
    samples,
  );
}

function bandName(band: number, to: number): string {
  const from = (BANDS[band - 1] ?? 0) + 1;
  const digits = (value: number): string => value.toLocaleString('en');
  return from === to ? `invocation, ${to}` : `invocations, ${digits(from)} to ${digits(to)}`;
}

function spawned(way: string): Child {
  const flags = process.execArgv;
  const child = spawnSync(process.execPath, [...flags, import.meta.filename, way], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

async function young(way: keyof typeof WAYS): Promise<Child> {
  const { name, doors } = await WAYS[way]();
  const run = doors.handler?.(setting(CLIENTS.stub()));
  const bands: number[] = [];
  let done = 0;
  for (const to of BANDS) {
    const from = done;
    const used = process.cpuUsage();
    for (; done < to; done++) await run?.(freshKey());
    const { user, system } = process.cpuUsage(used);
    bands.push((user + system) / (to - from));
  }
  return { name, bands };
}

if (import.meta.main) process.stdout.write(JSON.stringify(await young(process.argv[2] as keyof typeof WAYS)));
