import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, canonicalText, fingerprintOf, recordId } from '../../src/core/identity.ts';

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
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const shuffled = JSON.parse(JSON.stringify(a), (_, value) =>
          value && typeof value === 'object' && !Array.isArray(value)
            ? Object.fromEntries(Object.entries(value).reverse())
            : value,
        );
        expect(canonicalJson(shuffled)).toBe(canonicalJson(JSON.parse(JSON.stringify(a))));
        const equal = canonicalJson(a) === canonicalJson(b);
        expect(equal).toBe(canonicalJson(JSON.parse(canonicalJson(a))) === canonicalJson(JSON.parse(canonicalJson(b))));
      }),
    );
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

  it.each([
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['a BigInt', 1n],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a lone surrogate', '\ud800'],
    ['a member named by a lone surrogate', { '\udc00': 1 }],
    ['a typed array', new Uint8Array([1])],
    ['an error', new Error('x')],
    ['a regular expression', /x/],
    [
      'an instance without members',
      new (class Secret {
        #amount = 5;
        get amount() {
          return this.#amount;
        }
      })(),
    ],
    ['a cycle', cycle()],
    ['a tower', JSON.parse('['.repeat(3_000) + ']'.repeat(3_000))],
  ])('refuses %s, which JSON would make equal to something else (A11)', (_, value) => {
    expect(() => canonicalJson([value])).toThrow(TypeError);
    expect(() => fingerprintOf([value])).toThrow(TypeError);
  });

  it('allows one object in two places', () => {
    const shared = { a: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });
});

describe('canonicalText', () => {
  it.each(['', 'no json', '{', '1e999', '"\\ud800"', '['.repeat(100_000)])('has none for %.10j', (text) => {
    expect(canonicalText(text)).toBeUndefined();
  });
});

function cycle(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}
