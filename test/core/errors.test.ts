import { describe, expect, it } from 'vitest';
import {
  IdempotencyError,
  isIdempotencyError,
  isTerminalError,
  TerminalError,
  textOf,
  withRecord,
} from '../../src/core/errors.ts';

const named = (name: string, more: object = {}) => Object.assign(new Error('of another copy'), { name, ...more });

describe('isIdempotencyError', () => {
  it('knows its own, and those of another copy of this package', () => {
    expect(isIdempotencyError(new IdempotencyError('CONFLICT', 'busy'))).toBe(true);
    expect(isIdempotencyError(named('IdempotencyMismatch', { code: 'MISMATCH' }))).toBe(true);
  });

  it.each<[string, unknown]>([
    ['an object that is no error', { name: 'IdempotencyConflict', code: 'CONFLICT' }],
    ['nothing', undefined],
    ['another error with such a code', named('Error', { code: 'CONFLICT' })],
    ['an error of that name without a code', named('IdempotencyConflict')],
    ['one with a code that is none of ours', named('IdempotencyConflict', { code: 'ENOENT' })],
    ['one with the code of another name', named('IdempotencyConflict', { code: 'MISMATCH' })],
    ['one with a code that every object has', named('IdempotencyConflict', { code: 'toString' })],
  ])('does not take %s for one', (_, error) => {
    expect(isIdempotencyError(error)).toBe(false);
  });
});

describe('a refusal', () => {
  it('says when the lease in its way ends, where that is known, and nothing of it otherwise', () => {
    expect(new IdempotencyError('CONFLICT', 'in flight', { leaseUntil: 7 }).leaseUntil).toBe(7);
    expect(new IdempotencyError('CONFLICT', 'in flight')).not.toHaveProperty('leaseUntil');
  });
});

describe('withRecord', () => {
  const cause = new TypeError('down');

  it('names the record of an error that has none, and changes nothing else', () => {
    const error = new IdempotencyError('STORE_UNAVAILABLE', 'why', { cause, isPassing: true, isUnwritten: true });
    const named = withRecord(error, 'scope#1') as IdempotencyError;
    expect(named).not.toBe(error);
    expect({ ...named }).toEqual({ ...error, id: 'scope#1' });
    const { name, message, stack } = error;
    expect(named).toMatchObject({ name, message, stack, cause });
    expect(withRecord(new IdempotencyError('CONFLICT', 'busy'), 'scope#1')).not.toHaveProperty('cause');
  });

  it.each([cause, undefined, new IdempotencyError('CONFLICT', 'busy', { id: 'scope#2' })])(
    'leaves %o as it is',
    (error) => {
      expect(withRecord(error, 'scope#1')).toBe(error);
    },
  );
});

describe('isTerminalError', () => {
  const mark = Symbol.for('effectively-once.TerminalError');

  it('knows its own, subclasses, and those of another copy of this package', () => {
    class CardDeclined extends TerminalError {}
    expect(isTerminalError(new TerminalError('no'))).toBe(true);
    expect(isTerminalError(new CardDeclined('no'))).toBe(true);
    expect(isTerminalError(named('TerminalError', { [mark]: true }))).toBe(true);
    expect((new TerminalError('no') as any)[mark]).toBe(true);
    expect(new TerminalError('no').name).toBe('TerminalError');
  });

  it.each([undefined, null, 'TerminalError', 5, new Error('no')])('does not take %o for one', (error) => {
    expect(isTerminalError(error)).toBe(false);
  });
});

it('has a text for whatever was thrown', () => {
  expect(textOf(new TypeError('no'))).toBe('TypeError: no');
  expect(textOf('no')).toBe('a string');
  expect(textOf(Symbol('no'))).toBe('a symbol');
  expect(textOf(Object.assign(new Error('no'), { name: Symbol('none') }))).toBe('an error without a text');
});
