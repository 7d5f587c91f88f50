import { describe, expect, it } from 'vitest';
import { adoptable, decide, isUnknown, landingOf } from '../../src/core/decide.ts';
import type { Change, Claimed, Completed, IdempotencyRecord, Released } from '../../src/core/record.ts';

const NOW = 1_800_000_000_500;
const common = {
  id: 'id',
  version: 3,
  attempt: 2,
  fingerprint: 'f',
  claimedAt: NOW - 9_000,
  expiresAt: NOW / 1_000 + 60,
};
const live: Claimed = { ...common, status: 'IN_PROGRESS', owner: 'other', leaseUntil: NOW + 1, steps: {} };
const over: Claimed = { ...live, leaseUntil: NOW };
const released: Released = { ...common, status: 'IN_PROGRESS', steps: {} };
const outcome = { kind: 'value', body: '1' } as const;
const completed: Completed = { ...common, status: 'COMPLETED', owner: 'other', outcome, completedAt: NOW };
/** Seconds are rounded up, so a record expires with the second that `expiresAt` names. */
const expired = { expiresAt: Math.floor(NOW / 1_000) };
const lastSecond = { expiresAt: Math.ceil(NOW / 1_000) };
const mine = { owner: 'me' };

describe('decide', () => {
  it.each<[string, IdempotencyRecord, object, object]>([
    ['a live lease of mine', { ...live, ...mine }, {}, { kind: 'mine', lease: { ...live, ...mine } }],
    ['an expired lease of mine', { ...over, ...mine, ...expired }, {}, { kind: 'mine' }],
    ['an expired outcome', { ...completed, ...expired }, {}, { kind: 'take', from: 'expired' }],
    [
      'an expired outcome of another payload',
      { ...completed, ...expired },
      { fingerprint: 'g' },
      { kind: 'take', from: 'expired' },
    ],
    [
      'an outcome at the end of its last second',
      { ...completed, expiresAt: (NOW - 500) / 1_000 },
      { at: NOW - 500 },
      { kind: 'take' },
    ],
    ['an outcome that never expires', { ...completed, expiresAt: undefined }, {}, { kind: 'replay' }],
    ['an outcome in its last second', { ...completed, ...lastSecond }, {}, { kind: 'replay' }],
    ['another payload, completed', completed, { fingerprint: 'g' }, { kind: 'mismatch' }],
    ['another payload, in flight', live, { fingerprint: 'g' }, { kind: 'mismatch' }],
    ['another payload, released', released, { fingerprint: 'g' }, { kind: 'mismatch' }],
    ['another payload, abandoned', over, { fingerprint: 'g' }, { kind: 'mismatch' }],
    ['an outcome', completed, {}, { kind: 'replay', outcome, attempt: 2 }],
    ['an outcome, asked without fingerprint', completed, { fingerprint: undefined }, { kind: 'replay' }],
    ['an outcome kept without fingerprint', { ...completed, fingerprint: undefined }, {}, { kind: 'replay' }],
    ['an outcome of mine', { ...completed, ...mine }, {}, { kind: 'replay' }],
    ['a released lease', released, {}, { kind: 'take', from: 'released' }],
    ['a live lease', live, {}, { kind: 'conflict', leaseUntil: live.leaseUntil }],
    ['a lease that is over', over, {}, { kind: 'take', from: 'abandoned' }],
  ])('%s', (_, found, { at = NOW, ...asked }: { at?: number }, decision) => {
    expect(decide(found, { owner: 'me', fingerprint: 'f', ...asked }, at)).toMatchObject(decision);
  });
});

describe('landingOf', () => {
  const change = { kind: 'complete', outcome, completedAt: NOW, expiresAt: NOW / 1_000 + 60 } as const;
  const own: Completed = { ...completed, owner: live.owner };

  it.each<[string, IdempotencyRecord, Change, unknown]>([
    ['done, where an earlier try of a completion had landed', own, change, { kind: 'done' }],
    [
      'done, where an earlier try of a commit had',
      { ...own, commit: 'c' },
      { ...change, commit: 'c' },
      { kind: 'done' },
    ],
    [
      'not done by another commit of the same run',
      { ...own, commit: 'b' },
      { ...change, commit: 'c' },
      { kind: 'adopted', outcome, attempt: 2 },
    ],
    [
      'not done by a commit, where it is a completion',
      { ...own, commit: 'b' },
      change,
      { kind: 'adopted', outcome, attempt: 2 },
    ],
    [
      'not done by a completion, where it is a release',
      own,
      { kind: 'release', expiresAt: 1 },
      { kind: 'adopted', outcome, attempt: 2 },
    ],
  ])('is %s', (_, found, to, expected) => {
    expect(landingOf({ done: false, found }, { ...live, fingerprint: own.fingerprint }, to, NOW)).toEqual(expected);
  });
});

describe('adoptable', () => {
  it.each<[string, IdempotencyRecord | undefined, object, unknown]>([
    ["the winner's outcome", completed, {}, { outcome, attempt: 2 }],
    ['not of another payload', completed, { fingerprint: 'g' }, undefined],
    ['not where just one side has a fingerprint', completed, { fingerprint: undefined }, undefined],
    ['not an expired one', { ...completed, ...expired }, {}, undefined],
    ['not of a run in flight', live, {}, undefined],
    ['not of a released one', released, {}, undefined],
    ['not where nothing is', undefined, {}, undefined],
  ])('%s', (_, found, asked, expected) => {
    expect(adoptable(found, { owner: 'me', fingerprint: 'f', ...asked }, NOW)).toEqual(expected);
  });
});

describe('isUnknown', () => {
  it.each<[string, IdempotencyRecord, boolean]>([
    ['a lease that is over', over, true],
    ['but not a live one', live, false],
    ['nor an expired one', { ...over, ...expired }, false],
    ['nor a released one', released, false],
    ['nor an outcome', completed, false],
  ])('%s', (_, record, expected) => {
    expect(isUnknown(record, NOW)).toBe(expected);
  });
});
