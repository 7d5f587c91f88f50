import { freshKey } from '../../events.ts';
import { CLIENTS, type Item, type MakeClient } from '../clients.ts';
import { createTable, engineClient, itemLeftBy, ORDERS, TABLE } from '../engine.ts';
import type { Options } from '../part.ts';
import { interleaved, type Subject } from '../rounds.ts';
import { comparison, type Table } from '../table.ts';
import { bare, ours, powertools, validating, WAYS } from '../ways/index.ts';
import { type Door, type Setting, setting, type Way } from '../ways/way.ts';

/** CPU of one invocation: first runs through each door, and duplicates. */
export async function* measure({ rounds }: Options): AsyncGenerator<Table> {
  await createTable(TABLE);
  await createTable(ORDERS);
  for (const [client, { make, times }] of Object.entries(KINDS)) {
    const subjects = firstRuns(make, times);
    const { cpu, wall } = await interleaved(subjects, rounds);
    yield comparison(`First run, ${client}`, 'µs of CPU', cpu);
    if (make === engineClient) yield comparison(`First run, ${client}: time`, 'µs', wall);
  }
  const items = await leftItems();
  for (const [client, { make, times }] of Object.entries(KINDS)) {
    const { cpu } = await interleaved(duplicates(make, items, times), rounds);
    yield comparison(`Duplicate, answered from the table, ${client}`, 'µs of CPU', cpu);
  }
  const { cpu } = await interleaved(warmDuplicates(items), rounds);
  yield comparison('Duplicate, answered from memory', 'µs of CPU', cpu);
}

/** Times are chosen for rounds of about 0.1 s. */
const KINDS: Record<string, { make: MakeClient; times: number }> = {
  'own overhead (the client answers at once)': { make: CLIENTS.silent, times: 600 },
  'whole SDK (the request handler answers at once)': { make: CLIENTS.stub, times: 150 },
  'embedded engine': { make: engineClient, times: 50 },
};

const DOORS: readonly Door[] = ['handler', 'Middy', 'batch of 10', 'runOnce', 'commit', 'atomic'];

function firstRuns(make: MakeClient, times: number): Subject[] {
  return DOORS.flatMap((door) =>
    WAYS.flatMap(({ name, doors }) => {
      const run = doors[door]?.(setting(make()));
      if (!run) return [];
      return { group: door, name, times: door === 'batch of 10' ? times / 10 : times, go: () => run(freshKey()) };
    }),
  );
}

/** What each way left in its table, under the same key. */
type Left = ReadonlyMap<Way, { key: string; item: Item }>;
const REPEATED: readonly Way[] = [bare, powertools, validating, ours];

async function leftItems(): Promise<Left> {
  const left = new Map<Way, { key: string; item: Item }>();
  for (const way of REPEATED) {
    const key = freshKey();
    const client = engineClient();
    const item = await itemLeftBy((table) => opened(way, { client, table })(key));
    left.set(way, { key, item });
  }
  return left;
}

function opened(way: Way, { client, ...more }: Pick<Setting, 'client'> & Partial<Setting>, door: Door = 'handler') {
  const open = way.doors[door];
  if (!open) throw new Error(`${way.name} has no door ${door}`);
  return open(setting(client, more));
}

function duplicates(make: MakeClient, items: Left, times: number): Subject[] {
  return (['handler', 'Middy'] as const).flatMap((door) =>
    REPEATED.map((way) => {
      const { key, item } = items.get(way) ?? {};
      const run = opened(way, { client: make(item), cache: false }, door);
      return { group: door, name: way.name, times, go: answered(run, key) };
    }),
  );
}

function warmDuplicates(items: Left): Subject[] {
  return [powertools, validating, ours].map((way) => {
    const { key, item } = items.get(way) ?? {};
    const run = opened(way, { client: CLIENTS.stub(item), cache: true });
    return { group: 'handler', name: way.name, times: 1_000, go: answered(run, key) };
  });
}

const answered =
  (run: (key: string) => Promise<any>, key = '') =>
  async (): Promise<void> => {
    const { statusCode } = await run(key);
    if (statusCode !== 201) throw new Error(`a duplicate got another answer: ${statusCode}`);
  };
