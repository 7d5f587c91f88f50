import {
  DescribeTableCommand,
  type DescribeTableCommandOutput,
  ScanCommand,
  type ScanCommandOutput,
} from '@aws-sdk/client-dynamodb';
import type { Clause, Found, Scan, ScanPage, Term, Total } from '../../core/store.ts';
import { bytesOf, FORMAT, type Item, itemId, keyOf, PARTITION_KEY } from './item.ts';
import { toRecord } from './reader.ts';
import { itemBytes } from './size.ts';
import { ask, type Connection } from './table.ts';

/** What comes without values. */
const PROJECTED = [
  ...[
    PARTITION_KEY,
    'format',
    'status',
    'version',
    'owner',
    'attempt',
    'leaseUntil',
    'identity',
    'source',
    'fingerprint',
  ],
  ...['claimedAt', 'completedAt', 'expiresAt', 'retention', 'commit'],
  ...['outcome.kind', 'outcome.error', 'outcome.codec', 'outcome.stored'],
];

/** One request. An eventually consistent read, at half the price: what is decided afterwards is decided on what a write sees. */
export async function scanned(to: Connection, scan: Scan, signal?: AbortSignal): Promise<ScanPage> {
  const { segment, segments, after, limit, isWhole } = scan;
  const { names, values, filter } = filterOf(scan.where, isWhole);
  const command = new ScanCommand({
    TableName: to.TableName,
    Segment: segment,
    TotalSegments: segments,
    ...(after !== undefined && { ExclusiveStartKey: keyOf(after) }),
    Limit: limit,
    ...(filter && { FilterExpression: filter, ExpressionAttributeValues: values }),
    ...(!isWhole && { ProjectionExpression: PROJECTED.map((path) => placed(path, names)).join(', ') }),
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ReturnConsumedCapacity: 'TOTAL',
  });
  const output = await ask<ScanCommand, ScanCommandOutput>(command, to, signal);
  const { Items = [], LastEvaluatedKey, ScannedCount = 0, ConsumedCapacity } = output;
  return {
    found: (Items as Item[]).map((item) => foundIn(item, isWhole)),
    next: LastEvaluatedKey && itemId(LastEvaluatedKey as Item),
    scanned: ScannedCount,
    readUnits: ConsumedCapacity?.CapacityUnits ?? 0,
  };
}

/** As DynamoDB counts every six hours. */
export async function totalOf(to: Connection, signal?: AbortSignal): Promise<Total> {
  const command = new DescribeTableCommand({ TableName: to.TableName });
  const { Table } = await ask<DescribeTableCommand, DescribeTableCommandOutput>(command, to, signal);
  return { items: Table?.ItemCount ?? 0, bytes: Table?.TableSizeBytes ?? 0 };
}

interface Filter {
  readonly names: Record<string, string>;
  readonly values: Item;
  readonly filter: string | undefined;
}

/** What cannot be read comes in any case: it is to be told. */
function filterOf(where: readonly Clause[], isWhole: boolean): Filter {
  const names: Record<string, string> = {};
  const values: Item = {};
  if (isWhole && where.length === 0) return { names, values, filter: undefined };
  const clauses = where.map((terms) => `(${terms.map((term) => termOf(term, names, values)).join(' OR ')})`);
  if (!isWhole) clauses.unshift(`attribute_not_exists(${placed('bytes', names)})`); // no part
  values[':format'] = { N: `${FORMAT}` };
  const format = placed('format', names);
  const filter = `attribute_not_exists(${format}) OR ${format} <> :format OR (${clauses.join(' AND ')})`;
  return { names, values, filter };
}

function termOf(term: Term, names: Record<string, string>, values: Item): string {
  const path = placed(term.path, names);
  if (!('value' in term)) return `${term.is === 'there' ? 'attribute_exists' : 'attribute_not_exists'}(${path})`;
  const value = `:v${Object.keys(values).length}`;
  values[value] = typeof term.value === 'number' ? { N: `${term.value}` } : { S: term.value };
  if (term.is === 'begins') return `begins_with(${path}, ${value})`;
  if (term.is === 'contains') return `contains(${path}, ${value})`;
  return term.is === '=' ? `${path} = ${value}` : `NOT ${path} ${OPPOSITE[term.is]} ${value}`;
}

const OPPOSITE = { '<>': '=', '<=': '>', '>': '<=' } as const;

/** A path by placeholders: many of the names are reserved. */
function placed(path: string, names: Record<string, string>): string {
  const parts = path.split('.');
  for (const part of parts) names[`#${part}`] = part;
  return parts.map((part) => `#${part}`).join('.');
}

function foundIn(item: Item, isWhole: boolean): Found {
  const id = itemId(item);
  const weight = isWhole ? { bytes: itemBytes(item) } : {};
  if (isOurs(item) && bytesOf(item)) return { id, kind: 'part', ...weight };
  try {
    return { id, kind: 'record', record: toRecord(isWhole ? item : filled(item)), ...weight };
  } catch (error) {
    const kind = isOurs(item) ? 'damaged' : isNewer(item) ? 'newer' : 'foreign';
    return { id, kind, why: (error as Error).message, ...weight };
  }
}

function isOurs({ format }: Item): boolean {
  return format !== undefined && 'N' in format && Number(format.N) === FORMAT;
}

function isNewer({ format }: Item): boolean {
  return format !== undefined && 'N' in format && Number(format.N) > FORMAT;
}

/** The item with something in the place of values that did not come along. */
function filled(item: Item): Item {
  const { outcome } = item;
  if (!outcome || !('M' in outcome)) return { ...item, steps: { M: {} } };
  const { kind } = outcome.M;
  const isUnavailable = kind && 'S' in kind && kind.S === 'unavailable';
  return isUnavailable ? { ...item, outcome: { M: { ...outcome.M, body: { S: '' } } } } : item;
}
