import { IdempotencyError } from '../core/errors.ts';
import type { Change, Claimed, IdempotencyRecord, Outcome } from '../core/record.ts';

/** Partition key of the table, a string. There is no sort key. */
export const PARTITION_KEY = 'id';

/** The table's TTL attribute, epoch seconds. */
export const TTL_ATTRIBUTE = 'expiresAt';

/** IAM actions for what the store sends, and nothing else. */
export const ACTIONS: readonly string[] = ['dynamodb:PutItem', 'dynamodb:UpdateItem'];

/** Layout of an item; a reader refuses one it does not know. */
const FORMAT = 1;

/** The part of DynamoDB's `AttributeValue` that records are made of. */
type Attribute = { S: string } | { N: string } | { M: Record<string, Attribute> };
export type Item = Record<string, Attribute>;

/** A condition in the words of DynamoDB's API. */
export interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues?: Item;
}

/** An update in the words of DynamoDB's API. */
export interface Update extends Condition {
  readonly Key: Item;
  readonly UpdateExpression: string;
}

export const IF_ABSENT: Condition = {
  ConditionExpression: 'attribute_not_exists(#id)',
  ExpressionAttributeNames: { '#id': PARTITION_KEY },
};

/** The record is still the one that was seen. */
export function ifSeen(seen: IdempotencyRecord): Condition {
  return {
    ConditionExpression: '#version = :version AND #claimedAt = :claimedAt',
    ExpressionAttributeNames: { '#version': 'version', '#claimedAt': 'claimedAt' },
    ExpressionAttributeValues: { ':version': { N: `${seen.version}` }, ':claimedAt': { N: `${seen.claimedAt}` } },
  };
}

/** The owner's update of its record: what changes is set, what the new state does not have is removed. */
export function ownersUpdate(held: Claimed, change: Change): Update {
  const set = attributesOf(change);
  const removed = 'leaseUntil' in change ? [] : 'outcome' in change ? ['leaseUntil'] : ['leaseUntil', 'owner'];
  const names = [...Object.keys(set), ...removed, 'version', 'status', 'owner'];
  const remove = removed.length > 0 ? ` REMOVE ${removed.map((name) => `#${name}`).join(', ')}` : '';
  return {
    Key: { [PARTITION_KEY]: { S: held.id } },
    ConditionExpression: '#owner = :mine AND #status = :inProgress',
    UpdateExpression: `SET ${Object.keys(set)
      .map((name) => `#${name} = :${name}`)
      .join(', ')}${remove} ADD #version :one`,
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: {
      ...Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value])),
      ':mine': { S: held.owner },
      ':inProgress': { S: 'IN_PROGRESS' },
      ':one': { N: '1' },
    },
  };
}

export function toItem(record: IdempotencyRecord): Item {
  return { ...attributesOf(record), format: { N: `${FORMAT}` } };
}

/** Throws `CONFIG_INVALID` for an item that this version did not write: another tool's table, or a newer layout. */
export function toRecord(item: Item): IdempotencyRecord {
  const { format, outcome, ...attributes } = item;
  if (!format || !('N' in format) || Number(format.N) !== FORMAT) {
    throw new IdempotencyError(
      'CONFIG_INVALID',
      'the table holds an item that this version of effectively-once did not write',
    );
  }
  return {
    ...plain(attributes),
    ...(outcome && { outcome: plain((outcome as { M: Item }).M) }),
  } as unknown as IdempotencyRecord;
}

function attributesOf(record: IdempotencyRecord | Change): Item {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, attribute(value)]));
}

function attribute(value: string | number | Outcome): Attribute {
  if (typeof value === 'object') return { M: attributesOfOutcome(value) };
  return typeof value === 'number' ? { N: `${value}` } : { S: value };
}

function attributesOfOutcome(outcome: Outcome): Item {
  return { kind: { S: outcome.kind }, ...(outcome.body !== undefined && { body: { S: outcome.body } }) };
}

function plain(attributes: Item): Record<string, string | number> {
  const entries = Object.entries(attributes).map(([name, value]) => [
    name,
    'N' in value ? Number(value.N) : (value as { S: string }).S,
  ]);
  return Object.fromEntries(entries);
}
