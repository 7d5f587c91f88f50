import { type Change, type Claimed, type Completed, changed, type Outcome } from '../core/record.ts';
import type { Store, Written } from '../core/store.ts';

/**
 * A store that answers for completed records it has seen, without a request. They never change before they expire, and
 * whether they have is for the asker to judge; records in progress are never remembered. Least recently used go first.
 */
export function cached(store: Store, maxBytes: number): Store {
  const records = new Map<string, Completed>();
  const recordOf = new WeakMap<Outcome, Completed>();
  let bytes = 0;

  const forget = (id: string): void => {
    const record = records.get(id);
    if (!record) return;
    records.delete(id);
    bytes -= sizeOf(record);
  };

  const remember = (record: Completed): void => {
    forget(record.id);
    if (sizeOf(record) > maxBytes) return;
    records.set(record.id, record);
    recordOf.set(record.outcome, record);
    bytes += sizeOf(record);
    for (const oldest of records.keys()) {
      if (bytes <= maxBytes) break;
      forget(oldest);
    }
  };

  const learn = (written: Written): Written => {
    if (!written.done && written.found?.status === 'COMPLETED') remember(written.found);
    return written;
  };

  const landed = (written: Written, held: Claimed, change: Change): Written => {
    const record = written.done && changed(held, change);
    if (record && record.status === 'COMPLETED') remember(record);
    return written;
  };

  const { transact, load } = store;
  return {
    async insert(next, signal) {
      const found = records.get(next.id);
      if (!found) return learn(await store.insert(next, signal));
      remember(found); // most recently used
      return { done: false, found };
    },

    async replace(seen, next, signal) {
      forget(seen.id);
      return learn(await store.replace(seen, next, signal));
    },

    async update(held, change, signal) {
      return landed(learn(await store.update(held, change, signal)), held, change);
    },

    ...(transact && {
      async transact(write, writes, signal) {
        const written = await transact(write, writes, signal);
        if ('refusal' in written) return written;
        if ('held' in write) return landed(learn(written), write.held, write.completion);
        forget(write.next.id);
        if (written.done) remember(write.next);
        return learn(written);
      },
    }),

    ...(load && {
      async load(outcome, signal) {
        const whole = await load(outcome, signal);
        const record = recordOf.get(outcome);
        const isKnown = record && whole.kind !== 'unavailable' && records.get(record.id) === record;
        const loaded = isKnown && { ...record, outcome: whole };
        if (loaded && sizeOf(loaded) <= maxBytes) remember(loaded);
        return whole;
      },
    }),
  };
}

// Two bytes a character at most, and what the rest of a record and the map's entry weigh, roughly.
function sizeOf(record: Completed): number {
  return 1_000 + 2 * (record.outcome.body?.length ?? 0);
}
