import { describe, expect, it } from 'vitest';
import { asGiven, checkHandler, count, duration, flag, parsed, positiveDuration, that } from '../../src/core/check.ts';

const OPTIONS = {
  lease: that<number>((value) => typeof value === 'number', 'a number'),
  scope: that<string>((value) => typeof value === 'string', 'a text'),
};

describe('options', () => {
  it.each<[unknown, string]>([
    [undefined, 'wrap expects an object of options'],
    [null, 'wrap expects an object of options'],
    ['5s', 'wrap expects an object of options'],
    [{ leese: 5 }, 'wrap has no option `leese`; it has lease, scope'],
    [{ toString: 5 }, 'wrap has no option `toString`; it has lease, scope'],
    [{ lease: 5, scope: 5 }, '`scope` of wrap must be a text'],
  ])('%o are refused, by an error that names what there is', (options, message) => {
    const refusal = expect.objectContaining({ code: 'CONFIG_INVALID', message });
    expect(() => parsed('wrap', options as object, OPTIONS)).toThrow(refusal);
  });

  it.each([{}, { lease: 5 }, { lease: undefined, scope: 's' }])('%o are taken', (options) => {
    expect(parsed('wrap', options, OPTIONS)).toEqual(options);
  });

  it('may be inherited', () => {
    expect(parsed('wrap', Object.create({ lease: 5 }), OPTIONS)).toEqual({ lease: 5 });
  });

  it.each([0, -1, 1.5, '2', Number.NaN, null])('count no %o', (value) => {
    const message = '`concurrency` of wrap must be a whole number above 0';
    const refusal = expect.objectContaining({ code: 'CONFIG_INVALID', message });
    expect(() => parsed('wrap', { concurrency: value }, { concurrency: count })).toThrow(refusal);
    expect(parsed('wrap', { concurrency: 1 }, { concurrency: count })).toEqual({ concurrency: 1 });
  });

  it.each([0, 'true', null])('are not switched by %o', (value) => {
    const message = '`keepIdentity` of wrap must be true or false';
    const refusal = expect.objectContaining({ code: 'CONFIG_INVALID', message });
    expect(() => parsed('wrap', { keepIdentity: value }, { keepIdentity: flag })).toThrow(refusal);
    expect(parsed('wrap', { keepIdentity: false }, { keepIdentity: flag })).toEqual({ keepIdentity: false });
  });

  it('are read, each in its own way', () => {
    const table = { clockSkew: duration, lease: positiveDuration, payload: asGiven };
    const options = { clockSkew: '0s', lease: '2s', payload: Number.NaN };
    expect(parsed('wrap', options, table)).toEqual({ clockSkew: 0, lease: 2_000, payload: Number.NaN });
    const refusal = (message: string) => expect.objectContaining({ code: 'CONFIG_INVALID', message });
    expect(() => parsed('wrap', { lease: '0s' }, table)).toThrow(refusal('`lease` must be longer than 0'));
    expect(() => parsed('wrap', { clockSkew: 'soon' }, table)).toThrow(
      refusal("`clockSkew` is 'soon'; expected ms, or a duration such as '30s', '15m', '24h'"),
    );
  });
});

it('a handler is a function', () => {
  expect(() => checkHandler('wrap', () => {})).not.toThrow();
  const refusal = expect.objectContaining({ code: 'CONFIG_INVALID', message: 'wrap expects a function to wrap' });
  expect(() => checkHandler('wrap', 'handler')).toThrow(refusal);
});
