import { readFileSync } from 'node:fs';
import { type AttributeValue, CreateTableCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { clientOf, type Engine, startDynamoDB } from '../local/dynamodb.ts';
import { itemBytes } from '../src/stores/dynamodb/size.ts';
import { metered } from './meter.ts';
import { SUBJECTS, type Subject } from './subjects.ts';
import { BY_ID } from './table.ts';

/** What a path of the library asks of DynamoDB. */
export interface Path {
  readonly name: string;
  /** By kind, in the order in which they were sent. */
  readonly kinds: readonly string[];
  readonly requests: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** What is in the records' table afterwards, as DynamoDB counts, without its overhead. */
  readonly items: number;
  readonly bytes: number;
  /** How much it takes depends on what comes first. */
  readonly isVarying: boolean;
}

/** What a path may take at most. */
export type Budget = Pick<Path, 'requests' | 'writeUnits' | 'readUnits'>;

export function budgets(): Record<string, Budget> {
  return JSON.parse(readFileSync(new URL('budgets.json', import.meta.url), 'utf8'));
}

/** Each path on the embedded engine, in tables of its own. */
export async function measurePaths(subjects: readonly Subject[] = SUBJECTS): Promise<Path[]> {
  const engine = await startDynamoDB();
  try {
    const paths: Path[] = [];
    for (const [index, subject] of subjects.entries()) {
      paths.push(await measured(subject, engine, `bench-${process.pid}-${index}`));
    }
    return paths;
  } finally {
    await engine.stop();
  }
}

async function measured(
  { name, isVarying = false, prepare, go }: Subject,
  engine: Engine,
  table: string,
): Promise<Path> {
  const [client, aside] = [clientOf(engine), clientOf(engine)];
  const orders = `${table}-orders`;
  await createTable(aside, table);
  await createTable(aside, orders);
  await prepare?.({ client: aside, aside, table, orders });
  const meter = metered(client, aside);
  await go({ client, aside, table, orders });
  const { requests: kinds, writeUnits, readUnits } = meter;
  const stored = await itemsIn(aside, table);
  const bytes = stored.reduce((sum, item) => sum + itemBytes(item as never), 0);
  client.destroy();
  aside.destroy();
  return { name, kinds, requests: kinds.length, writeUnits, readUnits, items: stored.length, bytes, isVarying };
}

async function createTable(client: DynamoDBClient, TableName: string): Promise<void> {
  await client.send(new CreateTableCommand({ TableName, ...BY_ID }));
}

async function itemsIn(client: DynamoDBClient, TableName: string): Promise<Record<string, AttributeValue>[]> {
  const items: Record<string, AttributeValue>[] = [];
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName, ExclusiveStartKey }));
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items;
}

/** `2 PutItem, UpdateItem` */
export function told(kinds: readonly string[]): string {
  const groups = Object.entries(Object.groupBy(kinds, (kind) => kind));
  return groups.map(([kind, all = []]) => (all.length > 1 ? `${all.length} ${kind}` : kind)).join(', ');
}
