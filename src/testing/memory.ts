import type { IdempotencyRecord } from '../core/record.ts';
import type { CompletingWrite, Store, TransactWrite, Written } from '../core/store.ts';
import { inserted, replaced, updated } from '../stores/memory.ts';

export interface MemoryStoreOptions {
  /**
   * Applies the writes of a `commit`, all of them or none, at once: it must not return a promise. What it throws is what
   * `commit` throws; then nothing was written, the outcome neither.
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
 */
export function memoryStore({ transact = () => {} }: MemoryStoreOptions = {}): MemoryStore {
  const records = new Map<string, IdempotencyRecord>();
  const commits: (readonly TransactWrite[])[] = [];

  const write = (id: string, next: IdempotencyRecord | undefined): Written => {
    if (!next) return { done: false, found: records.get(id) };
    records.set(id, next);
    return { done: true };
  };

  return {
    insert: async (next) => write(next.id, inserted(records.get(next.id), next)),
    replace: async (seen, next) => write(seen.id, replaced(records.get(seen.id), seen, next)),
    update: async (held, change) => write(held.id, updated(records.get(held.id), held, change)),

    async transact(completing, writes) {
      const { id } = 'held' in completing ? completing.held : completing.next;
      const next = completed(records.get(id), completing);
      if (!next) return write(id, next);
      try {
        transact(writes);
      } catch (refusal) {
        return { done: false, refusal };
      }
      commits.push(writes);
      return write(id, next);
    },

    records: () => [...records.values()],
    commits: () => [...commits],
  };
}

function completed(found: IdempotencyRecord | undefined, write: CompletingWrite): IdempotencyRecord | undefined {
  if ('held' in write) return updated(found, write.held, write.completion);
  return write.seen ? replaced(found, write.seen, write.next) : inserted(found, write.next);
}
