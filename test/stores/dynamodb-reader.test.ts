import type { Completed, IdempotencyRecord } from 'effectively-once';
import { describe, expect, it } from 'vitest';
import { type Item, toItem } from '../../src/stores/dynamodb/item.ts';
import { toRecord } from '../../src/stores/dynamodb/reader.ts';
import { claimed } from './contract.ts';

const CLAIMED = claimed({
  id: 'charge#1',
  fingerprint: 'f',
  retention: 5,
  steps: {
    value: { kind: 'value', body: '1' },
    error: { kind: 'error', error: { name: 'Declined', message: 'no', status: 402, statusCode: 402 } },
    lost: { kind: 'unavailable', body: 'why' },
    apart: { kind: 'value', codec: 'v8', stored: { packed: 'gzip', at: 'there', chunks: 22 } },
    packed: { kind: 'value', body: Uint8Array.of(1), stored: { packed: 'gzip' } },
    answered: { kind: 'value', error: { name: 'Declined', message: 'no' } },
  },
});
const { leaseUntil: _, owner: __, ...RELEASED } = CLAIMED;
const { steps: ___, ...common } = RELEASED;
const COMPLETED: Completed = {
  ...common,
  status: 'COMPLETED',
  owner: 'me',
  outcome: { kind: 'value', body: '1' },
  completedAt: 2,
  commit: 'nonce',
};

/** The item with one attribute, named by its path, set to something else; undefined: removed. */
function spoiled(record: IdempotencyRecord, path: string, attribute: unknown): Item {
  const item = structuredClone(toItem(record)) as Item;
  const names = path.split('.');
  const last = names.pop() as string;
  let parent: any = item;
  for (const name of names) parent = parent[name].M;
  if (attribute === undefined) delete parent[last];
  else parent[last] = attribute;
  return item;
}

const TEXT = { S: 'text' };
const NUMBER = { N: '1' };
const MAP = { M: {} };
const BYTES = { B: Uint8Array.of(1) };
/** Of types that no record has. */
const ALIEN = [{ NULL: true }, { BOOL: true }, { SS: ['a'] }, { L: [] }];

const COMMON: [path: string, ...bad: unknown[]][] = [
  ['status', undefined, NUMBER, { S: '' }, { S: 'DONE' }, { S: 'completed' }],
  ['version', undefined, TEXT, { N: '0' }, { N: '1.5' }, { N: '-1' }],
  ['attempt', undefined, TEXT, { N: '0' }, { N: '1.5' }],
  ['claimedAt', undefined, TEXT, { N: 'Infinity' }],
  ['fingerprint', NUMBER, MAP, ...ALIEN],
  ['expiresAt', TEXT, { N: 'NaN' }, ...ALIEN],
  ['retention', TEXT],
];
const STEPS: typeof COMMON = [
  ['steps', undefined, TEXT, BYTES, { L: [] }, { NULL: true }],
  ['steps.value', TEXT, { L: [] }],
  ['steps.value.kind', undefined, { S: 'promise' }, NUMBER],
  ['steps.value.body', NUMBER, MAP, ...ALIEN],
  ['steps.error.error', undefined, TEXT],
  ['steps.error.error.name', undefined, NUMBER],
  ['steps.error.error.message', undefined, NUMBER],
  ['steps.error.error.status', TEXT],
  ['steps.error.error.statusCode', TEXT],
  ['steps.lost.body', undefined, BYTES],
  ['steps.answered.error', TEXT],
  ['steps.answered.error.name', undefined],
  ['steps.apart.codec', NUMBER, ...ALIEN],
  ['steps.apart.stored', TEXT, MAP, ...ALIEN],
  ['steps.apart.stored.packed', NUMBER],
  ['steps.apart.stored.at', undefined, NUMBER],
  ['steps.apart.stored.chunks', undefined, TEXT, { N: '0' }, { N: '23' }, { N: '1e9' }, { N: '1.5' }],
  ['steps.packed.stored.packed', undefined, NUMBER],
];
const rows = (record: IdempotencyRecord, paths: typeof COMMON) =>
  paths.flatMap(([path, ...bad]) => bad.map((attribute) => [path, attribute, record] as const));

describe('an item', () => {
  it.each([
    ['a claim', CLAIMED],
    ['a release', RELEASED],
    ['a completion', COMPLETED],
    ['a claim at a time that is no whole number', { ...CLAIMED, leaseUntil: 1.5, claimedAt: 0.5 }],
  ])('is read as the record that was written: %s', (_, record) => {
    expect(toRecord(toItem(record))).toEqual(record);
  });

  it('is read as a release if its lease ended at 0, as earlier versions wrote it', () => {
    expect(toRecord(spoiled(RELEASED, 'leaseUntil', { N: '0' }))).toEqual(RELEASED);
  });

  it.each([
    ...rows(CLAIMED, COMMON),
    ...rows(CLAIMED, STEPS),
    ...rows(CLAIMED, [
      ['owner', undefined, NUMBER, ...ALIEN],
      ['leaseUntil', undefined, TEXT, ...ALIEN],
    ]),
    ...rows(RELEASED, COMMON),
    ...rows(RELEASED, STEPS),
    ...rows(RELEASED, [
      ['leaseUntil', NUMBER, TEXT, ...ALIEN],
      ['owner', ...ALIEN],
    ]),
    ...rows(COMPLETED, COMMON),
    ...rows(COMPLETED, [
      ['owner', undefined, NUMBER],
      ['outcome', undefined, TEXT, MAP],
      ['outcome.kind', { S: 'promise' }],
      ['completedAt', undefined, TEXT],
      ['expiresAt', undefined],
      ['commit', NUMBER],
    ]),
  ])('whose `%s` is %j is refused, and named', (path, attribute, record) => {
    const refusal = expect.objectContaining({
      code: 'CONFIG_INVALID',
      id: 'charge#1',
      message: expect.stringMatching(/^the record "charge#1" is damaged: `\w+` is missing or invalid$/),
    });
    const item = spoiled(record, path, attribute);
    expect(() => toRecord(item)).toThrow(refusal);
    const [top] = path.split('.');
    if (path === top && path !== 'owner') expect(() => toRecord(item)).toThrow(`\`${top}\``);
  });

  it.each([undefined, { N: '2' }, { S: '1' }])('of another format is refused: %j', (format) => {
    const refusal = {
      code: 'CONFIG_INVALID',
      id: 'charge#1',
      message: expect.stringContaining('was not written by this version'),
    };
    expect(() => toRecord(spoiled(CLAIMED, 'format', format))).toThrow(expect.objectContaining(refusal));
  });

  it('with a fingerprint of a later version is refused, and of an earlier one is not', () => {
    const refusal = { code: 'CONFIG_INVALID', id: 'charge#1', message: expect.stringContaining('later version') };
    for (const version of ['1:', '3:', '22:'])
      expect(() => toRecord(spoiled(CLAIMED, 'fingerprint', { S: `${version}f` }))).toThrow(
        expect.objectContaining(refusal),
      );
    for (const fingerprint of ['f', '2:f', 'f:2', 'f3:f'])
      expect(toRecord(spoiled(CLAIMED, 'fingerprint', { S: fingerprint }))).toMatchObject({ fingerprint });
  });
});

it.each(['key', 'operation', 'principal', 'cut'])(
  'reads a record whose identity has a damaged `%s` without it',
  (part) => {
    const identity = { key: 'k', operation: 'POST /orders', principal: 'alice', cut: 'key' };
    const item = structuredClone(toItem(claimed({ id: 'charge#1', identity }))) as any;
    expect(toRecord(item).identity).toEqual(identity);
    item.identity.M[part] = { N: '1' };
    expect(toRecord(item)).not.toHaveProperty('identity');
  },
);
