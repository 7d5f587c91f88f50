import { canonicalText } from '../src/core/canonical.ts';

/**
 * What the canonical form of a body of 6 MB takes, as a multiple of `JSON.parse`, for shapes that a sender may choose to do harm;
 * and the same for a body of half the size, as each of twice the size is to take twice the time.
 */
const BYTES = 6 * 1024 * 1024;

const nested = (depth: number, unit: string) => (bytes: number) =>
  '['.repeat(depth) +
  Array(Math.floor(bytes / (unit.length + 1)))
    .fill(unit)
    .join() +
  ']'.repeat(depth);
const members = (name: (index: number, of: number) => number) => (bytes: number) => {
  const of = Math.floor(bytes / 12);
  return `{${Array.from({ length: of }, (_, index) => `"k${name(index, of)}":1`).join()}}`;
};
const quoted = (unit: string) => (bytes: number) => `"${unit.repeat(bytes / unit.length)}"`;

const SHAPES: Record<string, (bytes: number) => string> = {
  'an order, many times': nested(1, '{"sku":"book-1","quantity":2,"price":{"amount":1999,"currency":"EUR"}}'),
  numbers: nested(1, '1'),
  'long numbers': nested(1, '1.2345678'),
  texts: nested(1, '"ab"'),
  'empty objects': nested(1, '{}'),
  'empty arrays, 250 deep': nested(250, '[]'),
  'objects, 250 deep': nested(250, '{"a":1}'),
  'objects within objects, out of order': (bytes) => {
    const depth = 240;
    return '{"b":'.repeat(depth) + quoted('x')(bytes) + ',"a":1}'.repeat(depth);
  },
  'members in order': members((index) => index),
  'members out of order': members((index, of) => of - index),
  'one text': quoted('x'),
  'one text of escapes': quoted('\\n'),
  'one text of umlauts': quoted('ü'),
  'nothing but spaces': (bytes) => `[${' '.repeat(bytes)}1]`,
  'too deep': (bytes) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2),
};

const least = (work: () => unknown): number => {
  const times = Array.from({ length: 5 }, () => {
    const from = performance.now();
    work();
    return performance.now() - from;
  });
  return Math.min(...times);
};

console.log(`${'of 6 MB'.padEnd(40)} JSON.parse   canonical   twice the size`);
for (const [name, shape] of Object.entries(SHAPES)) {
  const [whole, half] = [shape(BYTES), shape(BYTES / 2)];
  const parse = least(() => JSON.parse(whole));
  const canonical = least(() => canonicalText(whole));
  const growth = canonical / least(() => canonicalText(half));
  console.log(
    `${name.padEnd(40)} ${parse.toFixed(0).padStart(7)} ms ${(canonical / parse).toFixed(1).padStart(9)}x ${growth.toFixed(1).padStart(14)}x`,
  );
}
