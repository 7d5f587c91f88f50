import { describe, expect, it } from 'vitest';
import type { IdempotencyRecord } from '../../src/core/record.ts';
import type { Write } from '../../src/core/store.ts';
import {
  ACTIONS,
  bytesOf,
  itemId,
  PARTITION_KEY,
  renewal,
  requestOf,
  TTL_ATTRIBUTE,
  toChunkItem,
  toItem,
} from '../../src/stores/dynamodb/item.ts';
import { toRecord } from '../../src/stores/dynamodb/reader.ts';
import { claimed } from './contract.ts';
import { insert, replace, update } from './writes.ts';

const body = Uint8Array.of(1);
const RECORD: IdempotencyRecord = {
  id: 'charge#1',
  status: 'COMPLETED',
  version: 2,
  owner: 'me',
  attempt: 1,
  fingerprint: 'f',
  outcome: { kind: 'value', body, codec: 'v8', stored: { at: 'there', chunks: 2 } },
  claimedAt: 1,
  completedAt: 2,
  expiresAt: 3,
};
const ITEM = {
  id: { S: 'charge#1' },
  status: { S: 'COMPLETED' },
  version: { N: '2' },
  owner: { S: 'me' },
  attempt: { N: '1' },
  fingerprint: { S: 'f' },
  outcome: {
    M: {
      kind: { S: 'value' },
      body: { B: body },
      codec: { S: 'v8' },
      stored: { M: { at: { S: 'there' }, chunks: { N: '2' } } },
    },
  },
  claimedAt: { N: '1' },
  completedAt: { N: '2' },
  expiresAt: { N: '3' },
  format: { N: '1' },
};

describe('the item layout', () => {
  it('is what it was in every earlier version', () => {
    expect({ PARTITION_KEY, TTL_ATTRIBUTE }).toEqual({ PARTITION_KEY: 'id', TTL_ATTRIBUTE: 'expiresAt' });
    expect(toItem(RECORD)).toStrictEqual(ITEM);
    expect(toRecord(ITEM)).toStrictEqual(RECORD);
    expect(toChunkItem({ id: 'charge#1#me#1', bytes: body, expiresAt: 3 })).toStrictEqual({
      id: { S: 'charge#1#me#1' },
      bytes: { B: body },
      expiresAt: { N: '3' },
      format: { N: '1' },
    });
  });

  it('has no attribute for what a record does not have', () => {
    expect(Object.keys(toItem(claimed({ fingerprint: undefined, expiresAt: undefined })))).not.toContain('fingerprint');
    expect(Object.keys(toItem(claimed({ expiresAt: undefined })))).not.toContain('expiresAt');
  });
});

describe('a write', () => {
  const held = claimed();
  const outcome = { kind: 'value' } as const;
  const completion = { kind: 'complete', outcome, completedAt: 2, expiresAt: 3 } as const;
  const mine = '#owner = :mine AND #status = :inProgress';
  const names = { '#status': 'status', '#owner': 'owner' };

  it.each<[string, Write, object]>([
    ['a claim', insert(held), { ConditionExpression: 'attribute_not_exists(id)', ExpressionAttributeNames: undefined }],
    [
      'a takeover',
      replace(held, held),
      {
        ConditionExpression: 'version = :version AND claimedAt = :claimedAt AND #owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
      },
    ],
    [
      'a completion',
      update(held, completion),
      {
        UpdateExpression:
          'SET #status = :status, outcome = :outcome, completedAt = :completedAt, expiresAt = :expiresAt REMOVE leaseUntil, steps ADD version :one',
      },
    ],
    [
      'a commit',
      update(held, { ...completion, commit: 'c' }),
      {
        UpdateExpression:
          'SET #status = :status, outcome = :outcome, completedAt = :completedAt, expiresAt = :expiresAt, #commit = :commit REMOVE leaseUntil, steps ADD version :one',
        ExpressionAttributeNames: { ...names, '#commit': 'commit' },
      },
    ],
    [
      'a step',
      update(held, { kind: 'step', name: 'a.b', outcome }),
      {
        UpdateExpression: 'SET steps.#step = :outcome ADD version :one',
        ExpressionAttributeNames: { ...names, '#step': 'a.b' },
      },
    ],
    [
      'a release',
      update(held, { kind: 'release', expiresAt: 3 }),
      { UpdateExpression: 'SET expiresAt = :expiresAt REMOVE leaseUntil, #owner ADD version :one' },
    ],
    [
      'a release that forgets',
      update(held, { kind: 'release', expiresAt: 3, isForgotten: true }),
      { UpdateExpression: 'SET expiresAt = :expiresAt REMOVE leaseUntil, #owner, fingerprint ADD version :one' },
    ],
    [
      'an extension of a lease that never expires',
      update(held, { kind: 'extend', leaseUntil: 2, expiresAt: undefined }),
      {
        ConditionExpression: `${mine} AND leaseUntil <= :leaseUntil`,
        UpdateExpression: 'SET leaseUntil = :leaseUntil ADD version :one',
      },
    ],
  ])('names by placeholders only what DynamoDB reserves, and the step: %s', (_, write, expected) => {
    const { ExpressionAttributeValues, Item, Key, ...request } = requestOf(write) as any;
    expect(request).toEqual({ ConditionExpression: mine, ExpressionAttributeNames: names, ...expected });
  });
});

it('the permissions that a function needs are those that others have written into their policies', () => {
  expect(ACTIONS).toEqual([
    'dynamodb:PutItem',
    'dynamodb:UpdateItem',
    'dynamodb:BatchGetItem',
    'dynamodb:PartiQLInsert',
    'dynamodb:PartiQLUpdate',
  ]);
});

describe('a chunk', () => {
  it('tells its key and its bytes, and those of an item that has none are none', () => {
    const item = { id: { S: 'chunk' }, bytes: { B: body } };
    expect([itemId(item), bytesOf(item)]).toEqual(['chunk', body]);
    expect([itemId({}), bytesOf({})]).toEqual(['', undefined]);
    expect([itemId({ id: { N: '1' } }), bytesOf({ bytes: { S: '1' } })]).toEqual(['', undefined]);
  });

  it('is renewed only where it is', () => {
    expect(renewal('chunk', 7)).toEqual({
      Key: { id: { S: 'chunk' } },
      ConditionExpression: 'attribute_exists(id)',
      UpdateExpression: 'SET expiresAt = :expiresAt',
      ExpressionAttributeValues: { ':expiresAt': { N: '7' } },
    });
  });
});
