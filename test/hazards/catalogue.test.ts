import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const catalogue = readFileSync('docs/hazards.md', 'utf8');
const sources = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => readFileSync(`${import.meta.dirname}/${file}`, 'utf8'));

const rows = Array.from(catalogue.matchAll(/^\| ([A-E]\d+) \| (.+) \|$/gm), ([, id, cells]) => ({
  id,
  cells: cells?.split(' | ') ?? [],
}));
const tests = sources.flatMap((source) => Array.from(source.matchAll(/^it\((['"])(.+)\1,/gm), ([, , name]) => name));

it('names the test of every hazard that has one, and every such test has its hazard', () => {
  const named = rows.filter(({ cells }) => cells.length === 3).map(({ id, cells }) => `${id}: ${cells[2]}`);
  expect(named.toSorted()).toEqual(tests.filter((name) => /^[A-E]\d+: /.test(name ?? '')).toSorted());
});

it('lists each hazard once, tested or with the reason why not', () => {
  const known = Object.entries({ A: 24, B: 7, C: 6, D: 4, E: 10 }).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
  );
  expect(rows.map(({ id }) => id).toSorted()).toEqual(known.toSorted());
});
