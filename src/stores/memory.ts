import { type Change, type Claimed, changed, type IdempotencyRecord, isOvertaken } from '../core/record.ts';
import type { CompletingWrite, Store, Written } from '../core/store.ts';

/** The reference store: one process, gone with it. For tests and local runs; records expire, but are never deleted. */
export function memoryStore(): Store {
  return storeOver(new Map());
}

/** The reference store over records that somebody else looks into. */
export function storeOver(records: Map<string, IdempotencyRecord>): Store {
  const write = async (id: string, next: IdempotencyRecord | undefined): Promise<Written> => {
    if (!next) return { done: false, found: records.get(id) };
    records.set(id, next);
    return { done: true };
  };

  return {
    insert: (next) => write(next.id, inserted(records.get(next.id), next)),
    replace: (seen, next) => write(seen.id, replaced(records.get(seen.id), seen, next)),
    update: (held, change) => write(held.id, updated(records.get(held.id), held, change)),
  };
}

type Found = IdempotencyRecord | undefined;

/** What an insert makes of what it finds; undefined: it loses. */
export function inserted(found: Found, next: IdempotencyRecord): Found {
  return found ? undefined : next;
}

/** What a replace makes of what it finds; undefined: it loses. */
export function replaced(
  found: Found,
  seen: Pick<IdempotencyRecord, 'version' | 'claimedAt' | 'owner'>,
  next: IdempotencyRecord,
): Found {
  const isSame = found?.version === seen.version && found.claimedAt === seen.claimedAt && found.owner === seen.owner;
  return isSame ? next : undefined;
}

/** What an owner's update makes of what it finds; undefined: it loses. */
export function updated(found: Found, held: Claimed, change: Change): Found {
  if (found?.status !== 'IN_PROGRESS' || found.owner === undefined || found.owner !== held.owner) return undefined;
  return isOvertaken(found, change) ? undefined : changed(found, change);
}

/** What a transaction makes of the record it finds; undefined: it loses. */
export function transacted(found: Found, write: CompletingWrite): Found {
  if ('held' in write) return updated(found, write.held, write.completion);
  return write.seen ? replaced(found, write.seen, write.next) : inserted(found, write.next);
}
