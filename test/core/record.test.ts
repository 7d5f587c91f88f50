import { describe, expect, it } from 'vitest';
import { type Outcome, withoutBody } from '../../src/core/record.ts';

describe('an outcome without its body', () => {
  const error = { name: 'Declined', message: 'no funds', statusCode: 402 };
  const lost = { kind: 'unavailable', body: 'why' } as const;

  it.each<[string, Outcome, Outcome]>([
    ['a value is lost', { kind: 'value', body: '1' }, lost],
    ['an error is still one', { kind: 'error', error, body: '{}' }, { kind: 'error', error }],
    ['an answer to an error is the error', { kind: 'value', error, body: '1' }, { kind: 'error', error }],
    [
      'what was lost keeps its reason',
      { kind: 'unavailable', body: 'earlier' },
      { kind: 'unavailable', body: 'earlier' },
    ],
  ])('%s', (_, outcome, bare) => expect(withoutBody(outcome, 'why')).toStrictEqual(bare));
});
