import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdempotencyError, TerminalError } from '../../src/core/errors.ts';
import { runOnce } from '../../src/run-once.ts';
import * as store from '../../src/stores/memory.ts';
import type { Explored } from './code.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { makeDeterministic } from './deterministic.ts';
import { explore } from './explore.ts';
import { MUTANTS } from './mutants.ts';
import { World } from './world.ts';

const REAL: Explored = { runOnce, TerminalError, IdempotencyError, store };

let undo: () => void;
beforeAll(() => {
  undo = makeDeterministic();
});
afterAll(() => undo());

describe('within a bound smaller than that of `npm run test:explore`', () => {
  it.each(CONFIGURATIONS)('every interleaving keeps the invariants: $name', async ({ name, programs, bounds }) => {
    const faulty = { ...bounds, time: 1 };
    const slow = { ...bounds, faults: 0, time: name.includes('step') ? 1 : 2 };
    let explored = 0;
    // The slow ones of three requests, and of clocks apart, are for `npm run test:explore`.
    const isLarge = programs.length > 2 || (name.endsWith(' clock is ahead') && !name.includes(','));
    for (const small of isLarge ? [faulty] : [faulty, slow]) {
      const { states, violation } = await explore(new World(REAL, programs, small));
      expect(violation).toBeUndefined();
      explored += states;
    }
    expect(explored).toBeGreaterThan(400);
  });

  it('a wrong protocol is caught, and shown by its shortest history', async () => {
    const careless: typeof store = {
      ...store,
      applied: (found, write) => (write.kind === 'insert' ? write.next : store.applied(found, write)),
    };
    const [{ programs, bounds }] = CONFIGURATIONS as [(typeof CONFIGURATIONS)[number]];
    const { violation } = await explore(new World({ ...REAL, store: careless }, programs, bounds), 'breadth');
    expect(violation?.invariant).toContain('1. Two runs of one key');
    expect(violation?.history.map((line) => line.slice(6))).toEqual([
      '0 starts',
      "0's insert lands",
      '1 starts',
      "1's insert lands",
    ]);
  });
});

describe('the wrong protocols', () => {
  it('are many, and each is explored somewhere', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(16);
    const names = CONFIGURATIONS.map(({ name }) => name);
    expect(MUTANTS.filter((mutant) => !names.includes(mutant.in))).toEqual([]);
  });

  it.each(MUTANTS)('fit the code: $name', ({ edits }) => {
    for (const { file, find } of edits) {
      const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
      expect(source.split(find)).toHaveLength(2);
    }
  });
});
