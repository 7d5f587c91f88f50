import { IdempotencyError } from '../core/errors.ts';
import type { Change, Claimed, IdempotencyRecord } from '../core/record.ts';
import type { Chunk } from './chunks.ts';

/** Partition key of the table, a string. There is no sort key. */
export const PARTITION_KEY = 'id';

/** The table's TTL attribute, epoch seconds. */
export const TTL_ATTRIBUTE = 'expiresAt';

/** IAM actions for what the store sends, and nothing else. */
export const ACTIONS: readonly string[] = ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:BatchGetItem'];

/** Layout of an item; a reader refuses one it does not know. */
const FORMAT = 1;

/** The part of DynamoDB's `AttributeValue` that records are made of. */
type Attribute = { S: string } | { N: string } | { B: Uint8Array } | { M: Record<string, Attribute> };
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

/** A put in the words of DynamoDB's API. */
export interface Put extends Condition {
  readonly Item: Item;
}

export const IF_ABSENT: Condition = {
  ConditionExpression: 'attribute_not_exists(#id)',
  ExpressionAttributeNames: { '#id': PARTITION_KEY },
};

/** The record is still the one that was seen. */
export function ifSeen({
  version,
  claimedAt,
  owner,
}: Pick<IdempotencyRecord, 'version' | 'claimedAt' | 'owner'>): Condition {
  return {
    ConditionExpression: `#version = :version AND #claimedAt = :claimedAt AND ${owner === undefined ? 'attribute_not_exists(#owner)' : '#owner = :owner'}`,
    ExpressionAttributeNames: placeholders(['version', 'claimedAt', 'owner']),
    ExpressionAttributeValues: {
      ':version': { N: `${version}` },
      ':claimedAt': { N: `${claimedAt}` },
      ...(owner !== undefined && { ':owner': { S: owner } }),
    },
  };
}

/** The owner's update of its record: what changes is set, what the new state does not have is removed. */
export function ownersUpdate(held: Claimed, change: Change): Update {
  const isStep = 'step' in change;
  const set = attributesOf(settingOf(change));
  const removed = goneAfter(change);
  const names = isStep ? { '#steps': 'steps', '#step': change.step } : placeholders([...Object.keys(set), ...removed]);
  const setting = Object.keys(set).map((name) => `${isStep ? '#steps.#step' : `#${name}`} = :${name}`);
  const removing = removed.length > 0 ? ` REMOVE ${removed.map((name) => `#${name}`).join(', ')}` : '';
  return {
    Key: keyOf(held.id),
    // An extension that another has overtaken must not move the lease back.
    ConditionExpression: `#owner = :mine AND #status = :inProgress${'leaseUntil' in change ? ' AND #leaseUntil <= :leaseUntil' : ''}`,
    UpdateExpression: `SET ${setting.join(', ')}${removing} ADD #version :one`,
    ExpressionAttributeNames: { ...names, ...placeholders(['version', 'status', 'owner']) },
    ExpressionAttributeValues: {
      ...Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value])),
      ':mine': { S: held.owner },
      ':inProgress': { S: 'IN_PROGRESS' },
      ':one': { N: '1' },
    },
  };
}

function settingOf(change: Change): object {
  if ('step' in change) return { ended: change.ended };
  return 'leaseEnded' in change ? { leaseUntil: change.leaseEnded, expiresAt: change.expiresAt } : change;
}

function goneAfter(change: Change): string[] {
  if ('leaseUntil' in change || 'leaseEnded' in change || 'step' in change) return [];
  return 'outcome' in change ? ['leaseUntil', 'steps'] : ['leaseUntil', 'owner'];
}

function placeholders(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`#${name}`, name]));
}

export function toItem(record: IdempotencyRecord): Item {
  return { ...attributesOf(record), format: { N: `${FORMAT}` } };
}

/** Throws `CONFIG_INVALID` for an item that this version did not write: another tool's table, or a newer layout. */
export function toRecord(item: Item): IdempotencyRecord {
  const { format, ...attributes } = item;
  if (!format || !('N' in format) || Number(format.N) !== FORMAT) {
    throw new IdempotencyError(
      'CONFIG_INVALID',
      'the table holds an item that this version of effectively-once did not write',
    );
  }
  return fromAttributes(attributes) as unknown as IdempotencyRecord;
}

/** A part of a large body; nothing ever writes another under its key. */
export function toChunkItem({ id, bytes, expiresAt }: Chunk): Item {
  return { ...attributesOf({ [PARTITION_KEY]: id, bytes, [TTL_ATTRIBUTE]: expiresAt }), format: { N: `${FORMAT}` } };
}

export function keyOf(id: string): Item {
  return { [PARTITION_KEY]: { S: id } };
}

export function idOf({ [PARTITION_KEY]: id }: Item): string {
  return id && 'S' in id ? id.S : '';
}

export function bytesOf({ bytes }: Item): Uint8Array | undefined {
  return bytes && 'B' in bytes ? bytes.B : undefined;
}

/** Moves the expiry of a chunk that is there; creates none. */
export function renewal(id: string, expiresAt: number): Update {
  return {
    Key: keyOf(id),
    ConditionExpression: 'attribute_exists(#id)',
    UpdateExpression: 'SET #expiresAt = :expiresAt',
    ExpressionAttributeNames: placeholders([PARTITION_KEY, TTL_ATTRIBUTE]),
    ExpressionAttributeValues: { ':expiresAt': { N: `${expiresAt}` } },
  };
}

/** A write of ours in the words of lib-dynamodb, which takes plain values. */
export function native(write: Put | Update): { readonly Put: object } | { readonly Update: object } {
  const values = write.ExpressionAttributeValues && fromAttributes(write.ExpressionAttributeValues);
  const common = { ...write, ...(values && { ExpressionAttributeValues: values }) };
  if ('Item' in write) return { Put: { ...common, Item: fromAttributes(write.Item) } };
  return { Update: { ...common, Key: fromAttributes(write.Key) } };
}

type Value = string | number | Uint8Array | { readonly [name: string]: Value | undefined };

function attributesOf(values: object): Item {
  const entries = Object.entries(values as Record<string, Value | undefined>).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, attributeOf(value)]],
  );
  return Object.fromEntries(entries);
}

function attributeOf(value: Value): Attribute {
  if (value instanceof Uint8Array) return { B: value };
  if (typeof value === 'object') return { M: attributesOf(value) };
  return typeof value === 'number' ? { N: `${value}` } : { S: value };
}

function fromAttributes(attributes: Item): Record<string, Value> {
  return Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [name, fromAttribute(attribute)]));
}

function fromAttribute(attribute: Attribute): Value {
  if ('M' in attribute) return fromAttributes(attribute.M);
  if ('B' in attribute) return attribute.B;
  return 'N' in attribute ? Number(attribute.N) : attribute.S;
}
