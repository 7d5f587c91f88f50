import { IdempotencyError, misuse } from '../core/errors.ts';
import { commit, type Holder, type Transacting } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Store, TransactWrite } from '../core/store.ts';
import type { Execution } from '../execution.ts';
import type { Outcomes } from '../values/outcome.ts';

/** The commit of one run. */
export interface Commit extends Gate {
  /** What was committed, a copy of its own: the run's answer, whatever the handler makes of it. */
  readonly committed: () => { readonly value: unknown } | undefined;
  /** Why it is not known whether a commit has landed. */
  readonly doubt: () => { readonly error: unknown } | undefined;
}

interface CommitOptions {
  readonly holder: Holder;
  readonly outcomes: Outcomes;
  readonly onLanded: (outcome: Outcome) => void;
}

export function commitOf({ holder, outcomes, onLanded }: CommitOptions): Commit {
  const { id } = holder.lease;
  let committed: { readonly value: unknown } | undefined;
  let doubt: { readonly error: unknown } | undefined;

  const send: Send = async (store, value, writes) => {
    const outcome = outcomes.ofValue(value);
    try {
      const result = await commit({ ...holder, store }, outcome, writes);
      if (result.kind === 'refused') throw result.refusal;
      if (result.kind !== 'done') {
        throw new IdempotencyError('LEASE_LOST', 'another run took the key over: nothing was written', { id });
      }
      committed = { value: copyOf(outcomes, outcome, value) };
      onLanded(outcome);
    } catch (error) {
      if (error instanceof IdempotencyError && error.code === 'STORE_UNAVAILABLE') doubt = { error };
      throw error;
    }
  };

  return {
    committed: () => committed,
    doubt: () => doubt,
    ...gateOf({ store: holder.store, isOver: () => committed !== undefined || doubt !== undefined, send }),
  };
}

/** Lets commits through. */
interface Gate extends Pick<Execution, 'commit'> {
  /** No commit may begin any more; resolves when one that is under way has ended. */
  readonly close: () => Promise<void>;
}

type Send = (store: Transacting, value: unknown, writes: readonly TransactWrite[]) => Promise<void>;

interface GateOptions {
  readonly store: Store;
  /** Whether there has been a commit, or may have been. */
  readonly isOver: () => boolean;
  readonly send: Send;
}

/** One commit at a time, none once there has been one or the run has ended, and none on a store without transactions. */
export function gateOf({ store, isOver, send }: GateOptions): Gate {
  let isClosed = false;
  let underWay: Promise<void> | undefined;

  const checked = async (value: unknown, writes: readonly TransactWrite[]): Promise<void> => {
    const { transact } = store;
    if (!transact) throw misuse('this store has no transactions to commit in');
    if (!Array.isArray(writes)) throw misuse('commit expects an array of writes');
    await send({ ...store, transact }, value, writes);
  };

  return {
    close: async () => {
      isClosed = true;
      await underWay?.catch(() => {});
    },

    async commit(value, writes) {
      if (isClosed || underWay || isOver()) throw misuse('a run commits once, and before it ends');
      underWay = checked(value, writes).finally(() => {
        underWay = undefined;
      });
      return underWay;
    },
  };
}

/** What a duplicate will get, so that the first answer is no other; the value itself where a duplicate gets none. */
export function copyOf(outcomes: Outcomes, outcome: Outcome, value: unknown): unknown {
  const opened = outcomes.open(outcome);
  return 'value' in opened ? opened.value : value;
}
