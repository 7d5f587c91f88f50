import { describe, expect, it } from 'vitest';
import { type Duration, durationOf, LONGEST_TIMER } from '../../src/core/duration.ts';

describe('a duration', () => {
  it.each<[Duration, number]>([
    [0, 0],
    [1_500, 1_500],
    ['5ms', 5],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
  ])('%o is %i ms', (value, ms) => {
    expect(durationOf('lease', value)).toBe(ms);
  });

  it.each<[unknown, string]>([
    ['5 parsecs', "`lease` is '5 parsecs'; expected ms, or a duration such as '30s', '15m', '24h'"],
    ['30sec', "`lease` is '30sec'"],
    ['-1s', "`lease` is '-1s'"],
    ['1.5s', "`lease` is '1.5s'"],
    ['99999999999d', "`lease` is '99999999999d'"],
    [-1, '`lease` is -1;'],
    [1.5, '`lease` is 1.5;'],
    [Number.POSITIVE_INFINITY, '`lease` is Infinity;'],
    [undefined, '`lease` is undefined;'],
  ])('%o is none, and the error says so', (value, message) => {
    expect(() => durationOf('lease', value as Duration)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) }),
    );
  });
});

it('the longest timer is the longest that Node takes: a longer one it fires at once', () => {
  const timer = setTimeout(() => {}, LONGEST_TIMER);
  expect(timer).toMatchObject({ _idleTimeout: LONGEST_TIMER });
  clearTimeout(timer);
});
