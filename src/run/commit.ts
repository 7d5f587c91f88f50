import { IdempotencyError, isInDoubt, misuse, withRecord } from '../core/errors.ts';
import { commit, completing, type Holder, type Transacting } from '../core/protocol.ts';
import { type Outcome, ROOM_BYTES } from '../core/record.ts';
import type { Place, Store, TransactWrite } from '../core/store.ts';
import type { Execution } from '../execution.ts';
import { fitted } from '../values/fitted.ts';
import type { Kept, Outcomes } from '../values/outcome.ts';
import type { Reader } from './answer.ts';
import type { Floating } from './floating.ts';
import type { Lease } from './lease.ts';

/** The commit of one run. */
export interface Commit extends Gate {
  /** A copy of the committed value: the run's answer, even if the handler changes its own. */
  readonly committed: () => { readonly value: unknown } | undefined;
  /** The error that leaves it open whether a commit landed. */
  readonly doubt: () => { readonly error: unknown } | undefined;
}

interface CommitOptions extends Pick<GateOptions, 'bar' | 'floating'> {
  readonly holder: Holder;
  readonly lease: Pick<Lease, 'isHeld'>;
  /** Ms. */
  readonly remaining: () => number;
  readonly outcomes: Outcomes;
  readonly onLanded: (outcome: Outcome) => void;
}

export function commitOf({ holder, lease, floating, remaining, outcomes, onLanded, bar }: CommitOptions): Commit {
  const { store } = holder;
  const { id } = holder.lease;
  const context = { id, remaining };
  let committed: { readonly value: unknown } | undefined;
  let doubt: { readonly error: unknown } | undefined;

  const send: Send = async (transacting, value, writes) => {
    const { outcome, value: copy } = await prepared(value, completing(holder), { store, outcomes, ...context });
    if (!lease.isHeld()) throw lost('the lease is over');
    const result = await commit({ ...holder, store: transacting }, outcome, writes).catch((cause) => {
      const error = withRecord(cause, id);
      if (isInDoubt(error)) doubt = { error };
      throw error;
    });
    if (result.kind === 'refused') throw result.refusal;
    if (result.kind !== 'done') throw lost('another run took the key over');
    committed = { value: copy };
    onLanded(outcome);
  };
  const lost = (why: string): IdempotencyError =>
    new IdempotencyError('LEASE_LOST', `${why}: nothing was written`, { id });

  return {
    committed: () => committed,
    doubt: () => doubt,
    ...gateOf({ store, floating, isOver: () => committed !== undefined || doubt !== undefined, send, bar }),
  };
}

/** Where commits pass, one at a time. */
interface Gate extends Pick<Execution, 'commit'> {
  /** Whether one is under way, has landed, or may have. */
  readonly isDeciding: () => boolean;
  /** Whether one has begun, whatever became of it. */
  readonly hasBegun: () => boolean;
  /** Resolves when the commit that is under way has ended. Undefined: none is. */
  readonly ended: () => Promise<void> | undefined;
}

type Send = (store: Transacting, value: unknown, writes: readonly TransactWrite[]) => Promise<void>;

export interface GateOptions {
  readonly store: Store;
  readonly floating: Floating;
  /** Whether a commit has landed, or may have. */
  readonly isOver: () => boolean;
  readonly send: Send;
  /** Why no commit may begin now. */
  readonly bar: () => string | undefined;
}

/** Lets one commit pass, before the run ends, on a store with transactions; throws `MISUSE` for any other. */
export function gateOf({ store, floating, isOver, send, bar }: GateOptions): Gate {
  let hasBegun = false;
  let underWay: Promise<void> | undefined;

  const checked = async (value: unknown, writes: readonly TransactWrite[]): Promise<void> => {
    const { transact } = store;
    if (!transact) throw misuse('this store has no transactions to commit in');
    if (!Array.isArray(writes)) throw misuse('commit expects an array of writes');
    store.check?.(writes);
    await send({ ...store, transact }, value, [...writes]); // as they are now
  };

  const begin = async (value: unknown, writes: readonly TransactWrite[]): Promise<void> => {
    if (floating.isClosed() || underWay || isOver()) throw misuse('a run commits once, and before it ends');
    const barred = bar();
    if (barred) throw misuse(`a commit cannot begin ${barred}`);
    hasBegun = true;
    underWay = checked(value, writes).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };

  return {
    isDeciding: () => underWay !== undefined || isOver(),
    hasBegun: () => hasBegun,

    ended: () => underWay?.catch(() => {}),

    commit: (value, writes) => floating.watch('a commit', begin(value, writes)),
  };
}

/** What a commit is to record. Its value is a copy, so that all answers are equal. */
export async function prepared(
  value: unknown,
  record: Place['record'],
  { store, outcomes, ...context }: Reader,
): Promise<Kept> {
  const kept = await outcomes.ofValue(value, context);
  return { ...kept, outcome: await fitted(store, kept.outcome, { record }, ROOM_BYTES) };
}
