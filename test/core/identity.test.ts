import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  canonicalText,
  derivedKey,
  fingerprintOf,
  formerFingerprintOf,
  keyFault,
  recordId,
  writtenOnce,
} from '../../src/core/identity.ts';
import { twoSmallJsons } from '../arbitraries.ts';

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

describe('writtenOnce', () => {
  it('is the canonical form; of what has none the JSON as it is', () => {
    expect(writtenOnce({ b: 1, a: 2 })).toBe('{"a":2,"b":1}');
    expect(writtenOnce({ b: '\ud800', a: 2 })).toBe('{"b":"\\ud800","a":2}');
    expect(writtenOnce(['\ud800'], 'otherwise')).toBe('otherwise');
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

describe('canonicalJson', () => {
  it('ignores the order of members, at every depth', () => {
    expect(canonicalJson({ b: 1, a: { d: [2], c: 3 } })).toBe('{"a":{"c":3,"d":[2]},"b":1}');
  });

  it('sorts by UTF-16 code units, as RFC 8785 §3.2.3 has it', () => {
    const members = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    const values = [...canonicalJson(members).matchAll(/:(\d)/g)].map(([, value]) => value);
    expect(values.join('')).toBe('2467153');
  });

  it('writes numbers and strings as RFC 8785 §3.2.2 has it', () => {
    const value = {
      numbers: [JSON.parse('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27],
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
    };
    expect(canonicalJson(value)).toBe(
      '{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('is the same for what JSON says is the same, and for nothing else (A12)', () => {
    fc.assert(
      fc.property(twoSmallJsons, ([a, b]) => {
        expect(canonicalJson(a) === canonicalJson(b)).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(fc.jsonValue(), (a) => isDeepStrictEqual(JSON.parse(canonicalJson(a)), plain(a))));
  });

  it.each([
    [
      { a: 1, A: 2 },
      { A: 1, a: 2 },
    ],
    [JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":2}')],
    [{ a: null }, {}],
    [['1'], [1]],
  ])('tells %j from %j', (a, b) => {
    expect(canonicalJson(a)).not.toBe(canonicalJson(b));
  });

  it('leaves out undefined members, follows toJSON, takes instances by their members', () => {
    class Money {
      amount = 5;
    }
    expect(canonicalJson({ a: undefined, b: new Date(0), c: new Money(), d: Object.create(null) })).toBe(
      '{"b":"1970-01-01T00:00:00.000Z","c":{"amount":5},"d":{}}',
    );
  });

  it.each<[value: unknown, message: string, name?: string]>([
    [new Map([[1, 2]]), 'a Map has'],
    [new Set([1]), 'a Set has'],
    [1n, 'a bigint has'],
    [Number.NaN, 'NaN has'],
    [Number.POSITIVE_INFINITY, 'Infinity has', 'RangeError'],
    [() => 1, 'a function has'],
    [Symbol('s'), 'a symbol has'],
    [undefined, 'undefined has'],
    ['\ud800', 'a lone surrogate has', 'RangeError'],
    [{ '\udc00': 1 }, 'a lone surrogate has', 'RangeError'],
    [new Uint8Array([1]), 'a Uint8Array has'],
    [new Error('x'), 'a Error has'],
    [/x/, 'a RegExp has'],
    [
      new (class Secret {
        #amount = 5;
        get amount() {
          return this.#amount;
        }
      })(),
      'a Secret has',
    ],
    [new (class {})(), 'a nameless object has'],
    [Object.create(Object.create(Object.create(null))), 'a nameless object has'],
    [cycle(), 'a cycle has'],
    [tower(256), 'nested deeper than 256', 'RangeError'],
  ])('refuses what JSON would make equal to something else (A11): %o', (value, message, name = 'TypeError') => {
    const refusal = expect.objectContaining({ name, message: expect.stringMatching(`^${message}`) });
    expect(() => canonicalJson([value])).toThrow(refusal);
  });

  it('takes what is not nested deeper than it says', () => {
    expect(canonicalJson(tower(256))).toHaveLength(512);
  });

  it('follows only a `toJSON` that can be called', () => {
    expect(canonicalJson({ toJSON: 1 })).toBe('{"toJSON":1}');
  });

  it('allows one object in two places', () => {
    const shared = { a: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });
});

describe('canonicalText', () => {
  it.each(['', 'no json', '{', '['.repeat(100_000)])('is none of %.10j, which is no JSON', (text) => {
    expect(canonicalText(text)).toBeUndefined();
  });

  it.each([
    '1e999',
    '[ 1234567890123456]',
    '0.12345678901234567',
    '-12345678.12345678',
    '"\\ud800"',
    `${'['.repeat(300)}${']'.repeat(300)}`,
  ])('leaves %.10j as it is', (text) => {
    expect(canonicalText(text)).toBe(text);
  });

  it('is canonical where it is JSON', () => {
    expect(canonicalText(' { "b": 1.0, "a": "123456789012345678" }')).toBe('{"a":"123456789012345678","b":1}');
  });
});

function tower(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth));
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function cycle(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}
