import { randomUUID } from 'node:crypto';
import { misuse } from '../core/errors.ts';
import type { Arrival } from './arrival.ts';
import { answerOf, type Run } from './run.ts';
import { checkedName } from './steps.ts';

/** A run without a key: its duplicates cannot be recognised, nothing is recorded, and no event tells of it. */
export function unprotectedRun({ remaining }: Arrival): Run {
  const { signal } = new AbortController();
  return {
    execution: {
      key: undefined,
      attempt: 1,
      signal,
      remaining: () => remaining() ?? Number.POSITIVE_INFINITY,
      step: async (name, fn) => {
        checkedName(name);
        return fn({ key: randomUUID(), attempt: 1, signal });
      },
      keyFor: () => {
        throw misuse('a run without a key has no derived keys');
      },
      commit: async () => {
        throw misuse('a run without a key has no record to commit with');
      },
      forget: () => {},
    },
    hasCommitted: () => false,
    end: async (ending) => answerOf(ending),
  };
}
