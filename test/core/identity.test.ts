import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/canonical.ts';
import {
  derivedKey,
  fingerprintOf,
  formerFingerprintOf,
  identityOf,
  keyFault,
  recordId,
} from '../../src/core/identity.ts';

describe('recordId', () => {
  const identity = fc.tuple(
    fc.string(),
    fc.array(fc.string()),
    fc.option(fc.string(), { nil: undefined }),
    fc.string(),
  );

  it('is the same for the same scope, operation, principal and key', () => {
    fc.assert(fc.property(identity, (parts) => recordId(...parts) === recordId(...structuredClone(parts))));
  });

  it('is another for any other, whatever separators they have in them', () => {
    const tricky = fc.constantFrom('', '#', ',', '"', '\\', 'a', 'a#', '#a', '","', '[]', 'null');
    const trickyIdentity = fc.tuple(
      tricky,
      fc.array(tricky, { maxLength: 2 }),
      fc.option(tricky, { nil: undefined }),
      tricky,
    );
    fc.assert(
      fc.property(trickyIdentity, trickyIdentity, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(recordId(...a)).not.toBe(recordId(...b));
      }),
    );
  });

  it('fits a partition key, shows the scope, and hides the key', () => {
    const id = recordId('charge', [], 'alice', 'order-1');
    expect(id).toMatch(/^charge#[\w-]{43}$/);
  });
});

it('ids, derived keys and fingerprints do not change from version to version', () => {
  const id = recordId('charge', ['POST', '/orders'], 'alice', 'order-1');
  expect(id).toBe('charge#2Gu-0LRmduLk-jt28arNq0FuwZn69U2GNTjaQFUnMMk');
  expect(derivedKey(id, 'stripe')).toBe('1a056a5f-889b-8716-92d7-80fb281c14d0');
  const payload = canonicalJson({ b: 1, a: [null, 'é'] });
  expect(fingerprintOf(payload, id)).toBe('2:fYUxrkQXH_xaMBc_9g3lAlpcJroZ1ICj0lq4fJG6eIM');
  expect(formerFingerprintOf(payload)).toBe('SAOBj02jsDbe1nx_Yff5-g6lZ8THH1BtuFUUHkb5xSY');
});

describe('what a record says of its identity in clear', () => {
  const ROOM = 736;
  const id = 'i'.repeat(80);

  it('is key, operation and caller, as far as there are any', () => {
    const parts = { key: 'order-1', operation: 'POST /orders', principal: 'alice' };
    expect(identityOf(id, parts)).toStrictEqual(parts);
    expect(identityOf(id, { key: 'k', operation: '', principal: undefined })).toStrictEqual({ key: 'k' });
  });

  it.each([
    ['fits to the last byte', ROOM - 80 - 1 - 1, undefined],
    ['is one byte too long', ROOM - 80 - 1 - 1 + 1, 'principal'],
  ])('is whole if it fits, and says if it was cut: a caller that %s', (_, length, cut) => {
    const principal = 'p'.repeat(length);
    const kept = identityOf(id, { key: 'k', operation: 'o', principal });
    expect(kept).toStrictEqual({ key: 'k', operation: 'o', principal: 'p'.repeat(ROOM - 80 - 2), ...(cut && { cut }) });
  });

  it('is cut between characters, and never within one', () => {
    for (const character of ['é', '語', '😀']) {
      for (let before = 0; before < 5; before++) {
        const key = 'a'.repeat(ROOM - 80 - 10 + before) + character.repeat(100);
        const { key: kept = '', cut } = identityOf(id, { key });
        expect(cut).toBe('key');
        expect(kept.isWellFormed()).toBe(true);
        expect(key.startsWith(kept)).toBe(true);
        const left = ROOM - 80 - Buffer.byteLength(kept);
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left).toBeLessThan(Buffer.byteLength(character));
      }
    }
  });

  it('names all parts that were cut, and has nothing of them where there is no room', () => {
    expect(identityOf('i'.repeat(2_000), { key: 'k', operation: 'o', principal: 'p' })).toStrictEqual({
      ...{ key: '', operation: '', principal: '' },
      cut: 'key operation principal',
    });
  });
});

describe('keyFault', () => {
  it.each<[string, string | undefined]>([
    ['x'.repeat(255), undefined],
    ['x'.repeat(256), 'is longer than 255 characters'],
    ['a b\u00a0ü😀', undefined],
    ['a\nb', 'has characters that cannot be printed'],
    ['\ud800', 'has characters that cannot be printed'],
    ['\u2028', 'has characters that cannot be printed'],
    ['\u2029', 'has characters that cannot be printed'],
  ])('of %j is %s', (key, fault) => {
    expect(keyFault(key)).toBe(fault);
  });
});

describe('derivedKey', () => {
  it('is a UUID of version 8, and another for any other record or name', () => {
    const keys = Array.from({ length: 200 }, (_, name) => derivedKey('charge#1', `${name}`));
    for (const key of keys) expect(key).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(new Set(keys.map((key) => key.charAt(19))).size).toBe(4);
    expect(new Set([...keys, derivedKey('charge#2', '0')]).size).toBe(201);
  });
});
