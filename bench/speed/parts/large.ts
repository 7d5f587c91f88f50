import { randomBytes } from 'node:crypto';
import { freshKey } from '../../events.ts';
import { type Asked, counted } from '../counting.ts';
import { createTable, engineClient, TABLE } from '../engine.ts';
import type { Options } from '../part.ts';
import { shuffled } from '../rounds.ts';
import { spread } from '../statistics.ts';
import { type Row, type Table, times } from '../table.ts';
import { bare, ours, validating } from '../ways/index.ts';
import { type Run, setting } from '../ways/way.ts';

const KB = 1_024;
const SIZES = [1, 10, 100, 300, 1_024, 6_000];

/** Of JSON, as most results are, and of base64, which no compression makes much smaller. */
const CONTENTS: Record<string, (bytes: number) => string> = {
  JSON: (bytes) => {
    const item = (_: unknown, id: number) => ({
      id,
      sku: `sku-${(id * 7919) % 1000}`,
      price: id * 1.25,
      inStock: id % 3 === 0,
    });
    return JSON.stringify(Array.from({ length: Math.ceil(bytes / 50) }, item)).slice(0, bytes);
  },
  base64: (bytes) =>
    randomBytes(Math.ceil(bytes * 0.75))
      .toString('base64')
      .slice(0, bytes),
};

/** Results of 1 KB to 6 MB on the engine: first run and duplicate, and what they consume. */
export async function* measure({ rounds }: Options): AsyncGenerator<Table> {
  await createTable(TABLE);
  for (const [content, make] of Object.entries(CONTENTS)) {
    const rows: Row[] = [];
    for (const size of SIZES) {
      const [first, duplicate] = await measured(make(size * KB), size > 1_000 ? Math.ceil(rounds / 3) : rounds);
      const label = size > 1_000 ? `${Math.floor(size / 1_000)} MB` : `${size} KB`;
      rows.push(...rowsOf(`${label}, first run`, first), ...rowsOf(`${label}, duplicate`, duplicate));
    }
    yield { title: `Results of ${content}, embedded engine`, columns: COLUMNS, rows };
  }
}

const COLUMNS = ['ms of CPU', '× first', 'ms', 'requests', 'write units', 'read units'];

/** What one way took, sample by sample, or why it failed. */
interface Taken {
  readonly name: string;
  readonly cpu: number[];
  readonly wall: number[];
  asked?: Asked;
  failed?: string;
}

const WAYS = [bare, validating, ours];

async function measured(body: string, rounds: number): Promise<readonly [Taken[], Taken[]]> {
  const taken = (): Taken[] => WAYS.map(({ name }) => ({ name, cpu: [], wall: [] }));
  const [first, duplicate] = [taken(), taken()];
  const opened = WAYS.map(({ doors }) => {
    const client = engineClient();
    const respond = (): unknown => ({ statusCode: 200, body });
    return { run: doors.handler?.(setting(client, { cache: false, respond })) as Run, counts: counted(client) };
  });
  for (let round = -1; round < rounds; round++) {
    for (const index of shuffled(WAYS.keys())) {
      const key = freshKey();
      await take(first[index] as Taken, opened[index] as Opened, key, body);
      if (first[index]?.failed) continue;
      await take(duplicate[index] as Taken, opened[index] as Opened, key, body);
      if (round < 0)
        for (const { cpu, wall } of [first[index], duplicate[index]] as Taken[]) cpu.length = wall.length = 0;
    }
  }
  return [first, duplicate];
}

interface Opened {
  readonly run: Run;
  readonly counts: ReturnType<typeof counted>;
}

async function take(taken: Taken, { run, counts }: Opened, key: string, body: string): Promise<void> {
  counts.reset();
  const used = process.cpuUsage();
  const from = performance.now();
  try {
    const response = await run(key);
    if (response.body !== body) taken.failed = 'gets another answer';
  } catch (error) {
    const { name, message, cause } = error as Error;
    taken.failed = `fails: ${cause instanceof Error ? `${name}, ${cause.message}` : `${name}, ${message}`}`;
  }
  taken.wall.push(performance.now() - from);
  const { user, system } = process.cpuUsage(used);
  taken.cpu.push((user + system) / 1_000);
  taken.asked = counts.asked();
}

function rowsOf(group: string, all: readonly Taken[]): Row[] {
  const base = all[0]?.cpu ?? [];
  return all.map(({ name, cpu, wall, asked, failed }) => {
    if (failed || !asked) return { group, name, cells: [failed ?? 'no outcome is on record'] };
    const { requests, writeUnits, readUnits } = asked;
    const isComparable = !all[0]?.failed && base.length > 0;
    const cells = [
      spread(cpu),
      isComparable ? times(cpu, base) : '',
      spread(wall),
      requests.length,
      writeUnits,
      readUnits,
    ];
    return { group, name, cells };
  });
}
