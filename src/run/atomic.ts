import { randomUUID } from 'node:crypto';
import type { Arrival } from './arrival.ts';
import { committing, copyOf } from './commit.ts';
import { IdempotencyError, misuse } from '../core/errors.ts';
import { publish } from '../core/events.ts';
import { derivedKey } from '../core/identity.ts';
import { patient } from '../core/patience.ts';
import { commitUnclaimed } from '../core/protocol.ts';
import type { Settings } from '../options.ts';
import { type Answer, answerTo, instead, type Run } from './claimed.ts';
import { checkedName } from './steps.ts';

/**
 * A run without a claim: it has no lease and records nothing on its way. Its one commit is conditioned on the record's absence;
 * who loses the race is answered then as a claim would have been.
 */
export function atomic(settings: Settings, arrival: Arrival, key: string): Run {
  const { scope, id, fingerprint } = arrival;
  const { retention, onUnknown, outcomes } = settings;
  const remaining = (): number => arrival.remaining() ?? Number.POSITIVE_INFINITY;
  const store = patient(settings.store, remaining);
  const owner = randomUUID();
  /** What the commit ended with: the run's answer, or why it has none. */
  let ended: (() => Answer) | undefined;

  const { commit, close } = committing(
    store,
    () => ended !== undefined,
    async (transacting, value, writes) => {
      const outcome = outcomes.ofValue(value);
      const request = {
        id,
        owner,
        fingerprint,
        retention,
        onUnknown: onUnknown === 'rerun' ? onUnknown : 'refuse',
        outcome,
        writes,
      } as const;
      try {
        const result = await commitUnclaimed(transacting, request, Date.now);
        if (result.kind === 'refused') throw result.refusal; // the user's: nothing was written, another commit may follow
        const answer: Answer =
          result.kind === 'done'
            ? { value: copyOf(outcomes, outcome, value), replayed: false, isFinal: true }
            : await answerTo(result, arrival, { store, outcomes });
        if (result.kind === 'done') publish('completed', { scope, id });
        ended = () => answer;
      } catch (error) {
        if (error instanceof IdempotencyError) ended = () => again(error);
        throw error;
      }
    },
  );

  return {
    execution: {
      key,
      attempt: 1,
      signal: new AbortController().signal,
      remaining,
      commit,
      keyFor: (name) => derivedKey(id, checkedName(name)),
      step: async () => {
        throw misuse("in mode 'atomic' nothing is recorded before the commit: there are no steps");
      },
    },
    hasCommitted: () => ended !== undefined,
    records: () => true,

    async completed() {
      await close();
      if (ended) return ended();
      throw misuse("in mode 'atomic' the handler must commit what it returns");
    },

    async returned() {
      return this.completed(undefined);
    },

    async threw(error, final) {
      await close();
      return ended ? ended() : instead(error, final);
    },

    release: async () => {},
    abandon: () => {},
  };
}

// A new one: what the handler was thrown is the handler's, this is the answer to its caller.
function again({ code, message, id, cause }: IdempotencyError): never {
  throw new IdempotencyError(code, message, { id, cause });
}
