import { describe, expect, it } from 'vitest';
import { checkHandler, checkOptions } from '../../src/core/check.ts';

const CHECKS = {
  lease: [(value: unknown) => typeof value === 'number', 'a number'],
  scope: [(value: unknown) => typeof value === 'string', 'a text'],
} as const;

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
    expect(() => checkOptions('wrap', options as object, CHECKS)).toThrow(refusal);
  });

  it.each([{}, { lease: 5 }, { lease: undefined, scope: 's' }])('%o are taken', (options) => {
    expect(() => checkOptions('wrap', options, CHECKS)).not.toThrow();
  });
});

it('a handler is a function', () => {
  expect(() => checkHandler('wrap', () => {})).not.toThrow();
  const refusal = expect.objectContaining({ code: 'CONFIG_INVALID', message: 'wrap expects a function to wrap' });
  expect(() => checkHandler('wrap', 'handler')).toThrow(refusal);
});
