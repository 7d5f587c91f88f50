import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { freshKey } from '../../events.ts';
import { createTable, engineClient, TABLE } from '../engine.ts';
import type { Options } from '../part.ts';
import { interleaved, type Subject } from '../rounds.ts';
import { comparison, type Table } from '../table.ts';
import { bare, ours, validating } from '../ways/index.ts';
import { type Run, setting } from '../ways/way.ts';

/** First runs and duplicates on tables of 10^3 records and more: `--records 1000000` for a million. */
export async function* measure({ rounds, records }: Options): AsyncGenerator<Table> {
  await createTable(TABLE);
  const subjects = [bare, validating, ours].flatMap(({ name, doors }): Subject[] => {
    const run = doors.handler?.(setting(engineClient(), { cache: false })) as Run;
    const known = freshKey();
    return [
      { group: 'first run', name, times: 30, go: () => run(freshKey()) },
      { group: 'duplicate', name, times: 30, go: () => run(known) },
    ];
  });
  subjects.sort((a, b) => b.group.localeCompare(a.group));
  let held = 0;
  for (const size of [1e3, 1e4, 1e5, 1e6].filter((size) => size <= records)) {
    await fill(held, size);
    held = size;
    const { wall } = await interleaved(subjects, rounds);
    yield comparison(`A table of ${size.toLocaleString('en')} records, embedded engine`, 'µs', wall);
  }
}

const LANES = 4;
const MOST = 25;

async function fill(from: number, to: number): Promise<void> {
  const client = engineClient();
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to) {
      const first = next;
      next += MOST;
      const puts = Array.from({ length: MOST }, (_, index) => ({ PutRequest: { Item: record(first + index) } }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { [TABLE]: puts } }));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  client.destroy();
}

function record(index: number) {
  return {
    id: { S: `orders#${index}#${'x'.repeat(30)}` },
    status: { S: 'COMPLETED' },
    version: { N: '2' },
    attempt: { N: '1' },
    format: { N: '1' },
    expiresAt: { N: '99999999999' },
    outcome: { M: { kind: { S: 'value' }, body: { S: '{"statusCode":201}' } } },
  };
}
