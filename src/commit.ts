import { IdempotencyError, misuse } from './core/errors.ts';
import { commit } from './core/protocol.ts';
import type { Claimed, Outcome } from './core/record.ts';
import type { Store, TransactWrite } from './core/store.ts';
import type { Execution } from './execution.ts';
import type { Outcomes } from './outcome.ts';

/** The commit of one run. */
export interface Committer extends Pick<Execution, 'commit'> {
  /** What was committed, a copy of its own: the run's answer, whatever the handler makes of it. */
  readonly committed: () => { readonly value: unknown } | undefined;
  /** Why it is not known whether a commit has landed. */
  readonly doubt: () => { readonly error: unknown } | undefined;
  /** No commit may begin any more; resolves when one that is under way has ended. */
  readonly close: () => Promise<void>;
}

/** DynamoDB's limits, less our own action. */
const MOST_WRITES = 99;
const MOST_BYTES = 4 * 1024 * 1024;
const ACTIONS = ['Put', 'Update', 'Delete', 'ConditionCheck'];

export function commitOf(store: Store, lease: Claimed, retention: number, outcomes: Outcomes): Committer {
  const { id } = lease;
  let committed: { readonly value: unknown } | undefined;
  let doubt: { readonly error: unknown } | undefined;

  const send: Send = async (transacting, value, writes) => {
    const outcome = outcomes.ofValue(value);
    try {
      const result = await commit(transacting, lease, outcome, writes, retention, Date.now);
      if (result.kind === 'refused') throw result.refusal;
      if (result.kind !== 'done') {
        throw new IdempotencyError('LEASE_LOST', 'another run took the key over: nothing was written', { id });
      }
      committed = { value: copyOf(outcomes, outcome, value) };
    } catch (error) {
      if (error instanceof IdempotencyError && error.code === 'STORE_UNAVAILABLE') doubt = { error };
      throw error;
    }
  };

  return {
    committed: () => committed,
    doubt: () => doubt,

    ...committing(store, id, () => committed !== undefined || doubt !== undefined, send),
  };
}

type Send = (
  store: Store & Required<Pick<Store, 'transact'>>,
  value: unknown,
  writes: readonly TransactWrite[],
) => Promise<void>;

/** Sends one commit at a time, none once it `isOver` or the run is closed, and only what can be sent. */
export function committing(
  store: Store,
  id: string,
  isOver: () => boolean,
  send: Send,
): Pick<Committer, 'commit' | 'close'> {
  let isClosed = false;
  let underWay: Promise<void> | undefined;

  const checked = async (value: unknown, writes: readonly TransactWrite[]): Promise<void> => {
    const { transact } = store;
    if (!transact) throw misuse('this store has no transactions to commit in');
    checkWrites(writes, id);
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
export function copyOf({ open }: Outcomes, outcome: Outcome, value: unknown): unknown {
  try {
    return open(outcome, (why) => new Error(why));
  } catch {
    return value;
  }
}

/** Of a run that nobody will recognise again. */
export async function unprotectedCommit(): Promise<never> {
  throw misuse('a run without a key has no record to commit with');
}

/** Refuses with `MISUSE` what DynamoDB would, and a write on the record `id`. */
function checkWrites(writes: readonly TransactWrite[], id: string): void {
  if (!Array.isArray(writes)) throw misuse('commit expects an array of writes');
  if (writes.length > MOST_WRITES) throw misuse(`commit got ${writes.length} writes; expected at most ${MOST_WRITES}`);
  for (const write of writes) {
    const [[action = '', parameters] = [], ...more] = Object.entries(write ?? {}) as [
      string,
      { Key?: any; Item?: any },
    ][];
    if (more.length > 0 || !ACTIONS.includes(action))
      throw misuse(`a write of a commit is one of ${ACTIONS.join(', ')}`);
    if ((parameters?.Key ?? parameters?.Item)?.id === id) throw misuse('a commit cannot write its own record');
  }
  if (sizeOf(writes) > MOST_BYTES) throw misuse('the writes of a commit are larger than 4 MB');
}

// About what DynamoDB counts; it has the last word.
function sizeOf(writes: unknown): number {
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Set) return [...value];
    return ArrayBuffer.isView(value) ? 'x'.repeat(value.byteLength) : value;
  };
  return Buffer.byteLength(JSON.stringify(writes, plain));
}
