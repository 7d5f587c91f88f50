import { lazy } from '../../core/lazy.ts';
import type { Change, Claimed, IdempotencyRecord } from '../../core/record.ts';
import type { Write } from '../../core/store.ts';
import type { Chunk } from '../chunk.ts';

/** Partition key of the table, a string. There is no sort key. */
export const PARTITION_KEY = 'id';

/** The table's TTL attribute, epoch seconds. */
export const TTL_ATTRIBUTE = 'expiresAt';

/** IAM actions of the requests that the store sends. */
export const ACTIONS: readonly string[] = [
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:BatchGetItem',
  'dynamodb:PartiQLInsert',
  'dynamodb:PartiQLUpdate',
];

/** IAM actions of the requests that operators send: to look, and to decide. */
export const OPERATE_ACTIONS: Readonly<Record<'look' | 'decide', readonly string[]>> = {
  look: [
    'dynamodb:Scan',
    'dynamodb:BatchGetItem',
    'dynamodb:DescribeTable',
    'dynamodb:DescribeTimeToLive',
    'dynamodb:DescribeContinuousBackups',
  ],
  decide: ['dynamodb:PutItem', 'dynamodb:UpdateItem'],
};

/** Layout of an item. A reader refuses any other. */
export const FORMAT = 1;

/** The kinds of DynamoDB's `AttributeValue` that records need. */
type Attribute = { S: string } | { N: string } | { B: Uint8Array } | { M: Record<string, Attribute> };
export type Item = Record<string, Attribute>;

/** A condition as DynamoDB's API takes it. */
interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Item;
}

/** An update as DynamoDB's API takes it. */
export interface Update extends Condition {
  readonly Key: Item;
  readonly UpdateExpression: string;
}

/** A put as DynamoDB's API takes it. */
export interface Put extends Condition {
  readonly Item: Item;
}

/** A write as DynamoDB's low-level API takes it. */
export function requestOf(write: Write): Put | Update {
  switch (write.kind) {
    case 'insert':
      return { Item: toItem(write.next), ...IF_ABSENT };
    case 'replace':
      return { Item: toItem(write.next), ...ifSeen(write.seen) };
    case 'update':
      return ownersUpdate(write.held, write.change);
  }
}

const IF_ABSENT: Condition = {
  ConditionExpression: `attribute_not_exists(${PARTITION_KEY})`,
};

/** The record is still the one that was seen. */
function ifSeen({ version, claimedAt, owner }: Pick<IdempotencyRecord, 'version' | 'claimedAt' | 'owner'>): Condition {
  return {
    ConditionExpression: `version = :version AND claimedAt = :claimedAt AND ${owner === undefined ? 'attribute_not_exists(#owner)' : '#owner = :owner'}`,
    ExpressionAttributeNames: placeholders(['owner']),
    ExpressionAttributeValues: {
      ':version': { N: `${version}` },
      ':claimedAt': { N: `${claimedAt}` },
      ...(owner !== undefined && { ':owner': { S: owner } }),
    },
  };
}

/** A change as an update: new attributes are set, and those that the new state does not have are removed. */
function ownersUpdate(held: Claimed, change: Change): Update {
  const { set, expressions } = editOf(change);
  const values = attributesOf(set);
  const ExpressionAttributeValues: Item = {
    ':mine': { S: held.owner },
    ':inProgress': { S: 'IN_PROGRESS' },
    ':one': { N: '1' },
  };
  for (const name of Object.keys(values)) ExpressionAttributeValues[`:${name}`] = values[name] as Attribute;
  return { Key: keyOf(held.id), ...expressions, ExpressionAttributeValues };
}

interface Edit {
  /** Attributes by name; those that are undefined are not set. */
  readonly set: object;
  readonly expressions: Omit<Update, 'Key' | 'ExpressionAttributeValues'>;
}

function editOf(change: Change): Edit {
  switch (change.kind) {
    case 'complete': {
      const { kind, ...completion } = change;
      const expressions = change.commit === undefined ? completed() : committed();
      return { set: { status: 'COMPLETED', ...completion }, expressions };
    }
    case 'step':
      return { set: { outcome: change.outcome }, expressions: stepped(change.name) };
    case 'release':
      return { set: { expiresAt: change.expiresAt }, expressions: change.isForgotten ? forgotten() : released() };
    default: {
      const { leaseUntil, expiresAt } = change;
      const names = expiresAt === undefined ? ['leaseUntil'] : ['leaseUntil', 'expiresAt'];
      // An extension that another has overtaken must not move the lease back.
      const condition = change.kind === 'extend' ? ' AND leaseUntil <= :leaseUntil' : '';
      return { set: { leaseUntil, expiresAt }, expressions: expressionsOf(names, [], condition) };
    }
  }
}

const OWNERS = '#owner = :mine AND #status = :inProgress';

function expressionsOf(names: readonly string[], gone: readonly string[], condition = ''): Edit['expressions'] {
  const removing = gone.length > 0 ? ` REMOVE ${gone.map(placed).join(', ')}` : '';
  return {
    ConditionExpression: `${OWNERS}${condition}`,
    UpdateExpression: `SET ${names.map((name) => `${placed(name)} = :${name}`).join(', ')}${removing} ADD version :one`,
    ExpressionAttributeNames: placeholders([...names, ...gone, 'status', 'owner'].filter(isReserved)),
  };
}

// Of the names that are used here. Others are written as they are: fewer bytes to sign and to send.
function isReserved(name: string): boolean {
  return name === 'status' || name === 'owner' || name === 'commit';
}

function placed(name: string): string {
  return isReserved(name) ? `#${name}` : name;
}

const completed = lazy(() => expressionsOf(['status', 'outcome', 'completedAt', 'expiresAt'], ['leaseUntil', 'steps']));
const committed = lazy(() =>
  expressionsOf(['status', 'outcome', 'completedAt', 'expiresAt', 'commit'], ['leaseUntil', 'steps']),
);
const released = lazy(() => expressionsOf(['expiresAt'], ['leaseUntil', 'owner']));
const forgotten = lazy(() => expressionsOf(['expiresAt'], ['leaseUntil', 'owner', 'fingerprint']));

function stepped(name: string): Edit['expressions'] {
  return {
    ConditionExpression: OWNERS,
    UpdateExpression: 'SET steps.#step = :outcome ADD version :one',
    ExpressionAttributeNames: { '#step': name, ...placeholders(['status', 'owner']) },
  };
}

function placeholders(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`#${name}`, name]));
}

export function toItem(record: IdempotencyRecord): Item {
  const item = attributesOf(record);
  item['format'] = { N: `${FORMAT}` };
  return item;
}

/** A part of a large body. Its key is never used again. */
export function toChunkItem({ id, bytes, expiresAt }: Chunk): Item {
  return { ...attributesOf({ [PARTITION_KEY]: id, bytes, [TTL_ATTRIBUTE]: expiresAt }), format: { N: `${FORMAT}` } };
}

export function keyOf(id: string): Item {
  return { [PARTITION_KEY]: { S: id } };
}

export function itemId({ [PARTITION_KEY]: id }: Item): string {
  return id && 'S' in id ? id.S : '';
}

export function bytesOf(item: Item | undefined): Uint8Array | undefined {
  const bytes = item?.['bytes'];
  return bytes && 'B' in bytes ? bytes.B : undefined;
}

/** Moves the expiry of a chunk, if it exists. */
export function renewal(id: string, expiresAt: number): Update {
  return {
    Key: keyOf(id),
    ConditionExpression: `attribute_exists(${PARTITION_KEY})`,
    UpdateExpression: `SET ${TTL_ATTRIBUTE} = :expiresAt`,
    ExpressionAttributeValues: { ':expiresAt': { N: `${expiresAt}` } },
  };
}

type Value = string | number | Uint8Array | { readonly [name: string]: Value | undefined };

export function attributesOf(values: object): Item {
  const item: Item = {};
  for (const name of Object.keys(values)) {
    const value = (values as Record<string, Value | undefined>)[name];
    if (value !== undefined) item[name] = attributeOf(value);
  }
  return item;
}

function attributeOf(value: Value): Attribute {
  if (value instanceof Uint8Array) return { B: value };
  if (typeof value === 'object') return { M: attributesOf(value) };
  return typeof value === 'number' ? { N: `${value}` } : { S: value };
}

/** The attributes as plain values; null: of a type that no record has. */
export function fromAttributes(attributes: Item): Record<string, any> {
  return Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [name, fromAttribute(attribute)]));
}

function fromAttribute(attribute: Attribute): Value | null {
  if ('M' in attribute) return fromAttributes(attribute.M);
  if ('B' in attribute) return attribute.B;
  if ('N' in attribute) return Number(attribute.N);
  return attribute.S ?? null;
}
