import { randomUUID } from 'node:crypto';
import type { Arrival } from './arrival.ts';
import { checkWrites } from './commit.ts';
import { IdempotencyError } from './core/errors.ts';
import { publish } from './core/events.ts';
import { derivedKey } from './core/identity.ts';
import { valueOutcome } from './core/outcome.ts';
import { patient } from './core/patience.ts';
import { commitUnclaimed } from './core/protocol.ts';
import type { TransactWrite } from './core/store.ts';
import type { Settings } from './options.ts';
import { type Answer, answerTo, type Run } from './run.ts';
import { checkedName } from './steps.ts';

/**
 * A run without a claim: it has no lease and records nothing on its way. Its one commit is conditioned on the record's absence;
 * who loses the race is answered then as a claim would have been.
 */
export function atomic(settings: Settings, arrival: Arrival, key: string): Run {
  const { scope, id, fingerprint } = arrival;
  const { retention, onUnknown } = settings;
  const remaining = (): number => arrival.remaining() ?? Number.POSITIVE_INFINITY;
  const store = patient(settings.store, remaining);
  const owner = randomUUID();
  /** What the commit ended with: the run's answer, or why it has none. */
  let ended: (() => Answer) | undefined;
  let isUnderWay = false;

  const commit = async (value: unknown, writes: readonly TransactWrite[]): Promise<void> => {
    const { transact } = store;
    if (!transact) throw misuse('this store has no transactions to commit in');
    if (ended || isUnderWay) throw misuse('a run commits once');
    checkWrites(writes, id);
    const request = {
      id,
      owner,
      fingerprint,
      retention,
      onUnknown: onUnknown === 'rerun' ? onUnknown : 'refuse',
    } as const;
    isUnderWay = true;
    try {
      const result = await commitUnclaimed({ ...store, transact }, request, valueOutcome(value), writes, Date.now);
      if (result.kind === 'refused') throw result.refusal; // the user's: nothing was written, another commit may follow
      ended =
        result.kind === 'done' ? () => ({ value, replayed: false, isFinal: true }) : () => answerTo(result, arrival);
      if (result.kind === 'done') publish('completed', { scope, id });
      else if (result.kind !== 'replay') ended();
    } catch (error) {
      if (error instanceof IdempotencyError) ended = () => again(error);
      throw error;
    } finally {
      isUnderWay = false;
    }
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
    records: () => true,

    async completed() {
      if (ended) return ended();
      throw misuse("in mode 'atomic' the handler must commit what it returns");
    },

    async returned() {
      return this.completed(undefined);
    },

    async threw(error) {
      if (ended) return ended();
      throw error;
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
