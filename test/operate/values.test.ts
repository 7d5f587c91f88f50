import { dynamoDBStore, runOnce, TerminalError } from 'effectively-once';
import { recordId } from 'effectively-once/operator';
import { beforeAll, describe, expect, it } from 'vitest';
import { engineClient } from '../engine.ts';
import { newTable, on } from './world.ts';

let table: string;
let cli: ReturnType<typeof on>;
beforeAll(async () => {
  table = await newTable();
  cli = on(table);
});

const id = (key: string, more: object = {}): string => recordId({ scope: 'charge', key, ...more });
const options = () => ({
  store: dynamoDBStore({ client: engineClient(), tableName: table }),
  scope: 'charge',
  lease: '30s' as const,
});

const doubled = (levels: number, width: number): unknown => {
  let value: unknown = [{ x: 1 }];
  for (let n = 0; n < levels; n++) value = Array(width).fill(value);
  return value;
};
const cyclic = (contain: (inner: object) => object): unknown => {
  const value: Record<string, unknown> = {};
  value['inner'] = contain(value);
  return value;
};

describe('show ends, and says so, with a value', () => {
  it.each<[string, () => unknown, string]>([
    ['that is in itself', () => cyclic((value) => ({ value })), '[circular]'],
    ['that is in a list of itself', () => cyclic((value) => [value, value]), '[circular]'],
    ['that is in a map of itself', () => cyclic((value) => new Map([[value, value]])), '[circular]'],
    ['that is in a set of itself', () => cyclic((value) => new Set([value])), '[circular]'],
    ['that caused an error in itself', () => cyclic((cause) => new Error('e', { cause })), '[circular]'],
    ['that is shared by 2 to the power of 40', () => doubled(40, 2), '…'],
    ['that is shared by 100 to the power of 7', () => doubled(7, 100), '…'],
    ['of a depth of 150', () => doubled(150, 1), '…'],
  ])('%s', async (key, made, said) => {
    await runOnce({ ...options(), key }, () => made());
    const [text, inJson] = [await cli('show', id(key)), await cli('show', '--json', id(key))];
    expect([text.code, inJson.code]).toEqual([0, 0]);
    expect(JSON.stringify(JSON.parse(inJson.out).outcome.value)).toContain(said);
    expect(text.out.length).toBeLessThan(10_000_000);
  });

  it('and shows all of one that is large, and of one that is shared a few times', async () => {
    const shared = { x: 1 };
    const list = Array.from({ length: 150_000 }, () => ({}));
    await runOnce({ ...options(), key: 'large' }, () => ({ list, twice: [shared, shared] }));
    const { value } = JSON.parse((await cli('show', '--json', id('large'))).out).outcome;
    expect(value.list).toEqual(list);
    expect(value.twice).toEqual([shared, shared]);
  });
});

describe('what a sender chose', () => {
  const HOSTILE = '\u001b[31mred\u001b]0;title\u0007\u202ebidi\u2028\nstate:       completed: done';
  const isClean = (text: string): boolean => !/(?!\n)[\p{Cc}\p{Cf}\p{Zl}]/u.test(text);
  const rowsOf = (text: string): string[] => text.match(/^\w[\w ]*:/gm) ?? [];

  it.each<[string, (key: string) => Promise<unknown>]>([
    ['an error in a value', (key) => runOnce({ ...options(), key }, () => ({ e: new Error(HOSTILE) }))],
    [
      'an error as a value',
      (key) => runOnce({ ...options(), key }, () => Object.assign(new Error('e'), { name: HOSTILE })),
    ],
    ['its cause', (key) => runOnce({ ...options(), key }, () => new Error('e', { cause: new Error(HOSTILE) }))],
    ['a text', (key) => runOnce({ ...options(), key }, () => HOSTILE)],
    ['a member', (key) => runOnce({ ...options(), key }, () => ({ [HOSTILE]: { [HOSTILE]: HOSTILE.repeat(3) } }))],
    ['a map', (key) => runOnce({ ...options(), key }, () => new Map([[HOSTILE, new Set([HOSTILE])]]))],
    ['a pattern', (key) => runOnce({ ...options(), key }, () => new RegExp(HOSTILE.slice(5)))],
    ['a terminal error', (key) => runOnce({ ...options(), key }, () => Promise.reject(new TerminalError(HOSTILE)))],
  ])('reaches no terminal as it is, and adds no row: by %s', async (key, ran) => {
    await ran(key).catch(() => {});
    const { code, out } = await cli('show', id(key));
    expect(code).toBe(0);
    expect(isClean(out)).toBe(true);
    expect(rowsOf(out)).toEqual(
      ['record', 'state', 'key', 'source', 'attempt', 'claimed', 'completed', 'expires', 'size', 'outcome'].map(
        (row) => `${row}:`,
      ),
    );
    expect(isClean((await cli('show', '--json', id(key))).out)).toBe(true);
  });

  it('stays in its row: a caller, a step, the value of a step', async () => {
    const principal = `alice${HOSTILE}`;
    const key = 'rows';
    await runOnce({ ...options(), key, principal }, async ({ step }) => {
      await step(`charge${HOSTILE}`, () => 1);
      await step('mail', () => ({ refund: { of: 'x'.repeat(80) } }));
      throw new Error('again');
    }).catch(() => {});
    const named = ['--scope', 'charge', '--key', key, '--principal', principal];
    const shown = await cli('show', ...named);
    expect(shown.out).toContain('alice\\u{1b}[31mred');
    expect(shown.out).toMatch(/^ {2}charge\\u\{1b\}.*\\u\{a\}state: +completed: done: 1/m);
    expect(shown.out.match(/^ {2}\w+/gm)).toEqual(['  charge', '  mail']);
    const forgotten = await cli('forget', ...named, '--yes');
    const refused = await cli('resolve', ...named, '--rerun', '--yes');
    for (const text of [shown.out, forgotten.err, refused.err]) {
      expect(isClean(text)).toBe(true);
      expect(text.match(/^state:/gm)).toHaveLength(1);
    }
    const { out } = await cli('list', '--principal', principal);
    expect(isClean(out)).toBe(true);
    expect(out.trim().split('\n')).toHaveLength(2);
  });
});
