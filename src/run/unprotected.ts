import { randomUUID } from 'node:crypto';
import { misuse } from '../core/errors.ts';
import { RESERVE_MS } from '../core/patience.ts';
import type { StepContext } from '../execution.ts';
import type { Arrival } from './arrival.ts';
import { floatingOf } from './floating.ts';
import { answerOf, type Run } from './run.ts';
import { atMost, checkedName } from './steps.ts';

/** A run without a key: its duplicates cannot be recognised, nothing is recorded, and no event tells of it. */
export function unprotectedRun(arrival: Arrival): Run {
  const { signal } = new AbortController();
  const floating = floatingOf();
  const remaining = (): number => arrival.remaining() ?? Number.POSITIVE_INFINITY;
  const stepped = async <T>(name: string, fn: (step: StepContext) => Promise<T> | T): Promise<T> => {
    checkedName(name);
    return fn({ key: randomUUID(), attempt: 1, signal });
  };
  return {
    execution: {
      id: undefined,
      key: undefined,
      attempt: 1,
      signal,
      remaining,
      step: (name, fn) => floating.watch(`step "${name}"`, stepped(name, fn)),
      keyFor: () => {
        throw misuse('a run without a key has no derived keys');
      },
      commit: () =>
        floating.watch('a commit', Promise.reject(misuse('a run without a key has no record to commit with'))),
      forget: () => {},
    },
    hasCommitted: () => false,
    async end(ending) {
      floating.close();
      if (ending.kind !== 'timed-out') await atMost(remaining() - RESERVE_MS, floating.settled());
      return answerOf(ending);
    },
  };
}
