import { IdempotencyError, misuse } from '../core/errors.ts';
import { commit, type Holder, type Transacting } from '../core/protocol.ts';
import type { Outcome } from '../core/record.ts';
import type { Store, TransactWrite } from '../core/store.ts';
import type { Execution } from '../execution.ts';
import type { Outcomes } from '../values/outcome.ts';

/** The commit of one run. */
export interface Commit extends Gate {
  /** A copy of the committed value: the run's answer, even if the handler changes its own. */
  readonly committed: () => { readonly value: unknown } | undefined;
  /** The error that leaves it open whether a commit landed. */
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

/** Where commits pass, one at a time. */
interface Gate extends Pick<Execution, 'commit'> {
  /** No commit may begin any more; resolves when one that is under way has ended. */
  readonly close: () => Promise<void>;
}

type Send = (store: Transacting, value: unknown, writes: readonly TransactWrite[]) => Promise<void>;

interface GateOptions {
  readonly store: Store;
  /** Whether a commit has landed, or may have. */
  readonly isOver: () => boolean;
  readonly send: Send;
}

/** Lets one commit pass, before the run ends, on a store with transactions; throws `MISUSE` for any other. */
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

/** The value as a duplicate will get it, so that all answers are equal; if none can be had, the value itself. */
export function copyOf(outcomes: Outcomes, outcome: Outcome, value: unknown): unknown {
  const opened = outcomes.open(outcome);
  return 'value' in opened ? opened.value : value;
}
