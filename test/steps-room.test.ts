import { randomBytes } from 'node:crypto';
import { type Execution, memoryStore, TerminalError } from 'effectively-once';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Request, refused, WAYS, type WayOptions } from './ways.ts';
import { worldOfTests } from './world.ts';

const world = worldOfTests('one table');

// A step is the same behind every door.
describe.each(WAYS.slice(0, 1))('the room for steps', ({ build }) => {
  let request: Request;
  let effects: string[];
  beforeEach(() => {
    request = { key: crypto.randomUUID(), payload: 1 };
    effects = [];
  });

  const way = (handler: (execution: Execution) => unknown, options: Partial<WayOptions> = {}) =>
    build(handler, { store: world.store(), ...options });
  const effect = (what: string) => () => {
    effects.push(what);
    return what;
  };
  const failed = (message: string) => ({ error: expect.objectContaining({ message }) });
  const isDone = async (answer: Promise<object>) => expect(await answer).not.toHaveProperty('error');

  it('may be so many that their values fill the record', async () => {
    const values = Array.from({ length: 60 }, () => randomBytes(7_500));
    const call = way(async ({ step, attempt }) => {
      for (const [index, value] of values.entries()) {
        expect(await step<unknown>(`${index}`, () => (attempt === 1 ? value : effect('never')()))).toEqual(value);
      }
      if (attempt === 1) throw new Error('no');
    });
    expect(await call(request)).toEqual(failed('no'));
    await isDone(call(request));
    expect(effects).toEqual([]);
  });

  it('200 of them, with long names and values of any size, fit into the record', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `${index}`.padStart(64, 'x'));
    const values = names.map((_, index) => (index % 2 === 0 ? randomBytes(3_000) : 'y'.repeat(1_000)));
    const call = way(async ({ step, attempt }) => {
      const each = names.map((name, index) =>
        step<unknown>(name, () => (attempt === 1 ? values[index] : effect('never')())),
      );
      expect(await Promise.all(each)).toEqual(values);
      if (attempt === 1) throw new Error('no');
      return randomBytes(7_500);
    });
    expect(await call(request)).toEqual(failed('no'));
    await isDone(call(request));
    expect(effects).toEqual([]);
  });

  it('that fail for good with long errors, side by side, are all on record', async () => {
    const call = way(async ({ step, attempt }) => {
      const declined = () => {
        if (attempt > 1) effect('never')();
        throw new TerminalError('错'.repeat(1_000));
      };
      const all = Array.from({ length: 200 }, (_, index) => step(`${index}`, declined).catch((error) => error.name));
      expect(new Set(await Promise.all(all))).toEqual(new Set(['TerminalError']));
      if (attempt === 1) throw new Error('no');
    });
    expect(await call(request)).toEqual(failed('no'));
    await isDone(call(request));
    expect(effects).toEqual([]);
  });

  it('have all the room they want in a store that keeps outcomes of any size', async () => {
    const store = memoryStore();
    const value = 'x'.repeat(150_000);
    const call = way(
      async ({ step, attempt }) => {
        for (let index = 0; index < 300; index++) {
          expect(await step<string>(`${index}`, () => (attempt === 1 ? value : effect('never')()))).toBe(value);
        }
        if (attempt === 1) throw new Error('no');
      },
      { store },
    );
    expect(await call(request)).toEqual(failed('no'));
    await isDone(call(request));
    expect(effects).toEqual([]);
  });

  it('that have no room in the record are refused before their effect; the others stay', async () => {
    const name = (index: number) => `${index}`.padStart(255, 'x');
    let done = 0;
    const call = way(async ({ step, attempt }) => {
      for (let index = 0; attempt === 1 || index < done; index++) {
        const declined = await step(name(index), () => {
          effect(`${attempt}`)();
          throw new TerminalError('z'.repeat(900)); // which stays in the record
        }).catch((error) => error);
        if (!(declined instanceof TerminalError)) throw declined;
        if (attempt === 1) done = index + 1;
      }
      return 'done';
    });
    expect(await call(request)).toEqual(refused('MISUSE', { message: expect.stringContaining('no room') }));
    expect(done).toBeGreaterThan(250);
    expect(effects).toHaveLength(done);
    await isDone(call(request));
    expect(effects).toHaveLength(done);
  }, 60_000);
});
