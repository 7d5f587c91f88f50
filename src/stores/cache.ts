import { type Completed, changed, type Outcome } from '../core/record.ts';
import { idOf, type Store, type Transacted, type Write } from '../core/store.ts';

/**
 * Answers claims of completed records that it has seen, without a request. Such a record never changes before it expires, and
 * the claim judges whether it has. Records in progress are not kept. The least recently used go first.
 */
export function cached(store: Store, maxBytes: number): Store {
  const records = recentRecords(maxBytes);
  const recordOf = new WeakMap<Outcome, Completed>();
  const wholeOf = new WeakMap<Outcome, Outcome>();

  const remember = (seen: Completed): void => {
    const record = { ...seen, outcome: wholeOf.get(seen.outcome) ?? seen.outcome };
    if (records.remember(record)) recordOf.set(record.outcome, record);
  };

  const learning = async <T extends Transacted>(write: Write, send: () => Promise<T>): Promise<T> => {
    if (write.kind !== 'update') records.forget(idOf(write));
    const written = await send();
    if ('refusal' in written) return written;
    const record = written.done ? landed(write) : written.found;
    if (record?.status === 'COMPLETED') remember(record);
    return written;
  };

  const { transact, keep, load } = store;
  return {
    ...store,

    async write(write, signal) {
      const found = write.kind === 'insert' ? records.get(write.next.id) : undefined;
      if (found) return { done: false, found };
      return learning(write, () => store.write(write, signal));
    },

    ...(transact && {
      transact: (write, writes, signal) => learning(write, () => transact(write, writes, signal)),
    }),

    ...(keep && {
      async keep(outcome, place, signal) {
        const kept = await keep(outcome, place, signal);
        if (kept !== outcome && kept.kind !== 'unavailable') wholeOf.set(kept, outcome);
        return kept;
      },
    }),

    ...(load && {
      async load(outcome, signal) {
        const whole = await load(outcome, signal);
        const record = recordOf.get(outcome);
        const isCurrent = record && records.has(record) && whole.kind === outcome.kind;
        if (isCurrent) remember({ ...record, outcome: whole });
        return whole;
      },
    }),
  };
}

function landed(write: Write) {
  return write.kind === 'update' ? changed(write.held, write.change) : write.next;
}

/** Records of at most so many bytes together. */
function recentRecords(maxBytes: number) {
  const records = new Map<string, Completed>();
  let bytes = 0;

  const forget = (id: string): void => {
    const record = records.get(id);
    if (!record) return;
    records.delete(id);
    bytes -= sizeOf(record);
  };

  const add = (record: Completed): void => {
    forget(record.id);
    records.set(record.id, record);
    bytes += sizeOf(record);
  };

  return {
    forget,
    has: (record: Completed): boolean => records.get(record.id) === record,

    get(id: string): Completed | undefined {
      const record = records.get(id);
      if (record) add(record); // most recently used
      return record;
    },

    /** False: the record alone is too large, and nothing was changed. */
    remember(record: Completed): boolean {
      if (sizeOf(record) > maxBytes) return false;
      add(record);
      for (const oldest of records.keys()) {
        if (bytes <= maxBytes) break;
        forget(oldest);
      }
      return true;
    },
  };
}

// A character takes two bytes at most; the rest of a record and its entry weigh about 1 KB.
function sizeOf(record: Completed): number {
  return 1_000 + 2 * (record.outcome.body?.length ?? 0);
}
