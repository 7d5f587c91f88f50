import { changed, type IdempotencyRecord, isOvertaken } from '../core/record.ts';
import { idOf, type Store, type Write, type Written } from '../core/store.ts';

/**
 * The reference store: keeps records in this process. For tests and local runs; records expire, but are never deleted.
 *
 * @example
 * const charge = idempotent(handler, { store: memoryStore(), key: (event) => event.orderId });
 */
export function memoryStore(): Store {
  return storeOver(new Map());
}

/** The reference store over a map that its caller keeps. */
export function storeOver(records: Map<string, IdempotencyRecord>): Store {
  const land = (write: Write): Written => {
    const found = records.get(idOf(write));
    const next = applied(found, write);
    if (!next) return { done: false, found };
    records.set(next.id, next);
    return { done: true };
  };

  return {
    write: async (write) => land(write),
    writeAll: async (writes) => writes.map(land),
    read: async (id) => records.get(id),
  };
}

/** The record after a write; undefined: the write loses. */
export function applied(found: IdempotencyRecord | undefined, write: Write): IdempotencyRecord | undefined {
  switch (write.kind) {
    case 'insert':
      return found ? undefined : write.next;
    case 'replace': {
      const { seen, next } = write;
      const isSame =
        found?.version === seen.version && found.claimedAt === seen.claimedAt && found.owner === seen.owner;
      return isSame ? next : undefined;
    }
    case 'update': {
      const { held, change } = write;
      if (found?.status !== 'IN_PROGRESS' || found.owner === undefined || found.owner !== held.owner) return undefined;
      return isOvertaken(found, change) ? undefined : changed(found, change);
    }
  }
}
