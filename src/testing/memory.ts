import type { IdempotencyRecord } from '../core/record.ts';
import { idOf, type Store, type TransactWrite } from '../core/store.ts';
import { ENVIRONMENT } from '../environment.ts';
import { checkWrites } from '../stores/dynamodb/writes.ts';
import { applied, storeOver } from '../stores/memory.ts';

export interface MemoryStoreOptions {
  /**
   * Applies the writes of a `commit`, all of them or none, at once: it must not return a promise. What it throws is what
   * `commit` throws; then nothing was written, the outcome neither. Writes that DynamoDB would refuse for their number, shape
   * or size do not reach it.
   * @default - accepts them
   */
  readonly transact?: (writes: readonly TransactWrite[]) => void;
}

/** A store that a test can look into. */
export interface MemoryStore extends Store {
  readonly transact: NonNullable<Store['transact']>;
  /** All records, expired ones too: a store has no clock. */
  records(): IdempotencyRecord[];
  /** The writes of each `commit` that was applied, in their order. */
  commits(): (readonly TransactWrite[])[];
}

/**
 * Keeps records in this process. The runtime judges leases and retention by `Date.now()`: move that, with `testClock` or your
 * runner's fake timers, and leases end and records expire. `commit` works, too.
 *
 * @example
 * const store = memoryStore();
 * await transfer(store);
 * assert.equal(store.commits().length, 1);
 */
export function memoryStore({ transact = () => {} }: MemoryStoreOptions = {}): MemoryStore {
  const records = new Map<string, IdempotencyRecord>();
  const commits: (readonly TransactWrite[])[] = [];

  return {
    ...storeOver(records),

    check: (writes) => checkWrites(writes, process.env[ENVIRONMENT.table]),

    async transact(write, writes) {
      const found = records.get(idOf(write));
      const next = applied(found, write);
      if (!next) return { done: false, found };
      try {
        transact(writes);
      } catch (refusal) {
        return { done: false, refusal };
      }
      commits.push(writes);
      records.set(next.id, next);
      return { done: true };
    },

    records: () => [...records.values()],
    commits: () => [...commits],
  };
}
