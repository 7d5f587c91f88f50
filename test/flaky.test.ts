import { describe, expect, it } from 'vitest';
import { randomOf } from '../bench/random.ts';
import { oneIn, shareOf } from '../local/flaky.ts';

describe('--flaky', () => {
  it.each([
    [undefined, 0],
    ['0.2', 0.2],
    ['1', 1],
  ])('%s is a share of %s', (given, share) => {
    expect(shareOf(given)).toBe(share);
  });

  it.each(['', ' ', 'often', '-0.1', '1.1', 'NaN', '20%'])("does not take '%s'", (given) => {
    expect(() => shareOf(given)).toThrow('give it a number from 0 to 1, such as 0.2 for one call in five');
  });

  it('fails for that share of calls, as often before as after their effect', () => {
    const plan = oneIn(0.2, randomOf(1));
    const met = Array.from({ length: 10_000 }, () => `${plan({ method: 'POST', path: '/orders' })}`);
    const share = (mishap: string): number => met.filter((one) => one === mishap).length / met.length;
    expect([share('refuse'), share('lose'), share('undefined')].map((one) => one.toFixed(1))).toEqual([
      '0.1',
      '0.1',
      '0.8',
    ]);
  });
});
