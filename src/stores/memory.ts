import { changed, type IdempotencyRecord, isOvertaken } from '../core/record.ts';
import { idOf, type Scan, type ScanPage, type Store, type Write, type Written } from '../core/store.ts';

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
    scan: async (scan) => pageOf([...records.values()], scan),
    total: async () => ({ items: records.size, bytes: 0 }),
  };
}

/** Of records that weigh nothing. */
function pageOf(records: readonly IdempotencyRecord[], { segment, segments, after, limit }: Scan): ScanPage {
  const ids = records.filter((_, index) => index % segments === segment);
  const begin = after === undefined ? 0 : ids.findIndex(({ id }) => id === after) + 1;
  const page = ids.slice(begin, begin + limit);
  return {
    found: page.map((record) => ({ kind: 'record', id: record.id, record, bytes: 0 })),
    next: begin + limit < ids.length ? page.at(-1)?.id : undefined,
    scanned: page.length,
    readUnits: 0,
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
