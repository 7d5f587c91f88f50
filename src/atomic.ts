import { randomUUID } from 'node:crypto';
import type { Arrival } from './arrival.ts';
import { checkWrites, copyOf } from './commit.ts';
import { IdempotencyError } from './core/errors.ts';
import { publish } from './core/events.ts';
import { derivedKey } from './core/identity.ts';
import { patient } from './core/patience.ts';
import { commitUnclaimed } from './core/protocol.ts';
import type { TransactWrite } from './core/store.ts';
import type { Settings } from './options.ts';
import { type Answer, answerTo, instead, type Run } from './run.ts';
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
  let underWay: Promise<void> | undefined;
  let isClosed = false;

  const send = async (value: unknown, writes: readonly TransactWrite[]): Promise<void> => {
    const { transact } = store;
    if (!transact) throw misuse('this store has no transactions to commit in');
    checkWrites(writes, id);
    const outcome = outcomes.ofValue(value);
    const request = {
      id,
      owner,
      fingerprint,
      retention,
      onUnknown: onUnknown === 'rerun' ? onUnknown : 'refuse',
    } as const;
    try {
      const result = await commitUnclaimed({ ...store, transact }, request, outcome, writes, Date.now);
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
  };

  const commit = async (value: unknown, writes: readonly TransactWrite[]): Promise<void> => {
    if (ended || underWay || isClosed) throw misuse('a run commits once, and before it ends');
    underWay = send(value, writes).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };

  const close = async (): Promise<void> => {
    isClosed = true;
    await underWay?.catch(() => {});
  };

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

function misuse(message: string): IdempotencyError {
  return new IdempotencyError('MISUSE', message);
}
