import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, canonicalText, losesDigits, writtenOnce } from '../../src/core/canonical.ts';
import { twoSmallJsons } from '../arbitraries.ts';

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
    [{ a: 1, b: [tower(10), cycle()] }, 'a cycle has'],
    [returningItself(), 'a cycle has'],
    [tower(256), 'nested deeper than 256', 'RangeError'],
  ])('refuses what JSON would make equal to something else (A11): %o', (value, message, name = 'TypeError') => {
    const refusal = expect.objectContaining({ name, message: expect.stringMatching(`^${message}`) });
    expect(() => canonicalJson([value])).toThrow(refusal);
  });

  it('takes what is not nested deeper than it says', () => {
    expect(canonicalJson(tower(256))).toHaveLength(512);
  });

  it('takes any number of things side by side', () => {
    expect(canonicalJson(Array.from({ length: 10_000 }, () => ({ a: [] })))).toBe(
      `[${Array(10_000).fill('{"a":[]}').join()}]`,
    );
  });

  it('writes what has many parts as it writes what has few', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `part ${index}`);
    expect(canonicalJson(many)).toBe(JSON.stringify(many));
  });

  it('finds a cycle where it closes, and asks no object twice', () => {
    let asked = 0;
    const value: { a: object; self?: object } = { a: { toJSON: () => ++asked } };
    value.self = value;
    expect(() => canonicalJson(value)).toThrow('a cycle');
    expect(asked).toBe(1);
  });

  it('is what a plain definition of it says, of any JSON', () => {
    const defined = (value: unknown): string => {
      if (typeof value !== 'object' || value === null) return JSON.stringify(value);
      if (Array.isArray(value)) return `[${value.map(defined)}]`;
      const names = Object.keys(value).sort();
      return `{${names.map((name) => `${JSON.stringify(name)}:${defined((value as Record<string, unknown>)[name])}`)}}`;
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        expect(canonicalText(text)).toBe(losesDigits(text) ? text : defined(value));
      }),
      { numRuns: 2_000 },
    );
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

describe('writtenOnce', () => {
  it('is the canonical form; of what has none the JSON as it is', () => {
    expect(writtenOnce({ b: 1, a: 2 })).toBe('{"a":2,"b":1}');
    expect(writtenOnce({ b: '\ud800', a: 2 })).toBe('{"b":"\\ud800","a":2}');
    expect(writtenOnce(['\ud800'], 'otherwise')).toBe('otherwise');
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

function returningItself(): object {
  const value = { toJSON: (): object => value };
  return value;
}
