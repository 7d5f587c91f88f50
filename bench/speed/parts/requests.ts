import { setTimeout as sleep } from 'node:timers/promises';
import { freshKey, ORDER } from '../../events.ts';
import { counted } from '../counting.ts';
import { createTable, engineClient, ORDERS, TABLE } from '../engine.ts';
import type { Row, Table } from '../table.ts';
import { WAYS } from '../ways/index.ts';
import { type Door, type Setting, setting } from '../ways/way.ts';

/** What each path asks of DynamoDB. */
export async function* measure(): AsyncGenerator<Table> {
  await createTable(TABLE);
  await createTable(ORDERS);
  const rows: Row[] = [];
  for (const path of PATHS) rows.push(...(await rowsOf(path)));
  yield { title: 'Requests and capacity units', columns: ['requests', 'write units', 'read units', 'kinds'], rows };
}

interface Path {
  readonly name: string;
  readonly door: Door;
  readonly isRepeated?: boolean;
  readonly more?: () => Partial<Setting>;
}

const CACHED = () => ({ cache: true });
const THOUSAND = () => ({ records: 1_000, concurrency: 100 });

const PATHS: readonly Path[] = [
  { name: 'first run', door: 'handler' },
  { name: 'duplicate, answered from the table', door: 'handler', isRepeated: true },
  { name: 'duplicate, answered from memory', door: 'handler', isRepeated: true, more: CACHED },
  { name: 'first run behind Middy', door: 'Middy' },
  { name: 'batch of 10, new', door: 'batch of 10' },
  { name: 'batch of 10, new, handlers of 5 to 50 ms', door: 'batch of 10', more: () => ({ work: slow() }) },
  { name: 'batch of 10, duplicates', door: 'batch of 10', isRepeated: true },
  { name: 'batch of 1,000, new, 100 at once', door: 'batch of 10', more: THOUSAND },
  {
    name: 'batch of 1,000, new, 100 at once, handlers of 5 to 50 ms',
    door: 'batch of 10',
    more: () => ({ ...THOUSAND(), work: slow() }),
  },
  { name: 'commit of one write', door: 'commit' },
  { name: 'atomic, one write', door: 'atomic' },
  { name: 'atomic, duplicate', door: 'atomic', isRepeated: true },
];

async function rowsOf({ name: group, door, isRepeated, more }: Path): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, doors } of WAYS) {
    const client = engineClient();
    const { asked, reset } = counted(client);
    const key = freshKey();
    const run = doors[door]?.(setting(client, { cache: false, ...more?.() }));
    if (!run) continue;
    if (isRepeated) await run(key);
    reset();
    await run(key).catch(() => {}); // a bare transaction is refused, and that is counted
    const { requests, writeUnits, readUnits } = asked();
    rows.push({ group, name, cells: [requests.length, writeUnits, readUnits, kindsOf(requests)] });
    client.destroy();
  }
  return rows;
}

function kindsOf(requests: readonly string[]): string {
  const kinds = Object.entries(Object.groupBy(requests, (request) => request));
  return kinds.map(([request, all = []]) => `${all.length} ${request}`).join(', ');
}

/** Handlers of 5 to 50 ms, the same in every run. */
function slow(): () => Promise<typeof ORDER> {
  let seed = 1;
  return async () => {
    seed = (seed * 48_271) % 2_147_483_647;
    await sleep(5 + (seed / 2_147_483_647) * 45);
    return ORDER;
  };
}
