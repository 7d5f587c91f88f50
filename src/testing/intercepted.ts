import type { Change, IdempotencyRecord, Outcome } from '../core/record.ts';
import type { CompletingWrite, Store } from '../core/store.ts';

export type Operation = 'insert' | 'replace' | 'update' | 'transact' | 'load';

/** One call of a store. */
export interface Call {
  readonly operation: Operation;
  /** The run that makes it; undefined: it does not say. */
  readonly owner: string | undefined;
  /** What it is in the words of the protocol, such as "the claim". */
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

/** A store whose every call goes through `around`. */
export function intercepted(
  store: Store,
  around: <T>(call: Call, apply: () => Promise<T>) => Promise<T>,
): Pick<Store, Operation> {
  const { transact, load } = store;
  return {
    insert: (next, signal) =>
      around({ operation: 'insert', owner: next.owner, name: 'the claim', signal }, () => store.insert(next, signal)),
    replace: (seen, next, signal) =>
      around({ operation: 'replace', owner: next.owner, name: nameOfReplace(seen, next), signal }, () =>
        store.replace(seen, next, signal),
      ),
    update: (held, change, signal) =>
      around({ operation: 'update', owner: held.owner, name: nameOfChange(change), signal }, () =>
        store.update(held, change, signal),
      ),
    ...(transact && {
      transact: (write, writes, signal) =>
        around({ operation: 'transact', owner: ownerOf(write), name: 'the commit', signal }, () =>
          transact(write, writes, signal),
        ),
    }),
    ...(load && {
      load: (outcome: Outcome, signal?: AbortSignal) =>
        around({ operation: 'load', owner: undefined, name: 'the read of a value', signal }, () =>
          load(outcome, signal),
        ),
    }),
  };
}

function ownerOf(write: CompletingWrite): string {
  return 'held' in write ? write.held.owner : write.next.owner;
}

function nameOfReplace({ owner }: Pick<IdempotencyRecord, 'owner'>, next: IdempotencyRecord): string {
  if (next.status === 'COMPLETED' || next.owner === undefined) return 'the word on an unknown outcome';
  return owner === undefined ? 'the claim of a released key' : 'the takeover';
}

function nameOfChange(change: Change): string {
  if ('outcome' in change) return 'the completion';
  if ('step' in change) return `the record of step "${change.step}"`;
  if ('leaseUntil' in change) return 'the extension';
  return 'leaseEnded' in change ? 'the surrender' : 'the release';
}
