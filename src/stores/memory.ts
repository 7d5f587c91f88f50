import { changed, type IdempotencyRecord, isOvertaken } from '../core/record.ts';
import type { Store, Written } from '../core/store.ts';

/** The reference store: one process, gone with it. For tests and local runs; records expire, but are never deleted. */
export function memoryStore(): Store {
  const records = new Map<string, IdempotencyRecord>();
  const DONE: Written = { done: true };

  return {
    async insert(next) {
      const found = records.get(next.id);
      if (found) return { done: false, found };
      records.set(next.id, next);
      return DONE;
    },

    async replace(seen, next) {
      const found = records.get(seen.id);
      if (found?.version !== seen.version || found.claimedAt !== seen.claimedAt) return { done: false, found };
      records.set(next.id, next);
      return DONE;
    },

    async update(held, change) {
      const found = records.get(held.id);
      if (found?.status !== 'IN_PROGRESS' || found.owner === undefined || found.owner !== held.owner)
        return { done: false, found };
      if (isOvertaken(found, change)) return { done: false, found };
      records.set(found.id, changed(found, change));
      return DONE;
    },
  };
}
