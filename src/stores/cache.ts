import { type Completed, changed, type IdempotencyRecord, type Outcome } from '../core/record.ts';
import { idOf, type Store, type Transacted, type Write } from '../core/store.ts';

/** What a cache may hold. */
interface CacheLimits {
  readonly bytes: number;
  /** Ms for which a record is kept. */
  readonly ms: number;
}

/**
 * Answers claims of completed records that it has seen, without a request. Such a record never changes before it expires, unless an
 * operator says so, and the claim judges whether it has. Records in progress are not kept. The least recently used go first.
 */
export function cached(store: Store, limits: CacheLimits): Store {
  const records = recentRecords(limits);
  const recordOf = new WeakMap<Outcome, Completed>();
  const wholeOf = new WeakMap<Outcome, Outcome>();

  /** `since`: epoch ms at which the table has said so. */
  const remember = (seen: Completed, since = Date.now()): void => {
    const outcome = owned(wholeOf.get(seen.outcome) ?? seen.outcome);
    const record = outcome === seen.outcome ? seen : { ...seen, outcome };
    if (records.remember(record, since) && isStored(outcome)) recordOf.set(outcome, record);
  };

  const learning = <T extends Transacted>(write: Write, send: () => Promise<T>): Promise<T> => {
    if (write.kind !== 'update') records.forget(idOf(write));
    return send().then((written) => {
      const record = written.done ? completedBy(write) : 'found' in written ? written.found : undefined;
      if (record?.status === 'COMPLETED') remember(record);
      return written;
    });
  };

  const { transact, keep, load } = store;
  return {
    ...store,

    write(write, signal) {
      const found = write.kind === 'insert' ? records.get(write.next.id) : undefined;
      if (found) return Promise.resolve({ done: false, found });
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
      async load(outcome, id, signal) {
        const whole = await load(outcome, id, signal);
        const record = recordOf.get(outcome);
        const since = record && records.since(record);
        if (record && since !== undefined && whole.kind === outcome.kind)
          remember({ ...record, outcome: whole }, since);
        return whole;
      },
    }),
  };
}

/** Whether it is to be loaded. */
function isStored(outcome: Outcome): boolean {
  return outcome.kind !== 'unavailable' && outcome.stored !== undefined;
}

/** The record after a write that completes it. */
function completedBy(write: Write): IdempotencyRecord | undefined {
  if (write.kind !== 'update') return write.next;
  return write.change.kind === 'complete' ? changed(write.held, write.change) : undefined;
}

interface Entry {
  readonly record: Completed;
  readonly since: number;
  readonly bytes: number;
}

function recentRecords(limits: CacheLimits) {
  const entries = new Map<string, Entry>();
  // One for all: a new one would pass over the places of all that have gone.
  const oldest = entries.keys();
  let bytes = 0;

  const forget = (id: string): void => {
    const entry = entries.get(id);
    if (!entry) return;
    bytes -= entry.bytes;
    entries.delete(id);
  };

  const add = (entry: Entry): void => {
    forget(entry.record.id);
    entries.set(entry.record.id, entry);
    bytes += entry.bytes;
  };

  return {
    forget,

    /** Undefined: it is not this record that is kept. */
    since(record: Completed): number | undefined {
      const entry = entries.get(record.id);
      return entry?.record === record ? entry.since : undefined;
    },

    get(id: string): Completed | undefined {
      const entry = entries.get(id);
      if (!entry) return undefined;
      const age = Date.now() - entry.since;
      if (age < 0 || age >= limits.ms) {
        forget(id);
        return undefined;
      }
      add(entry); // most recently used
      return entry.record;
    },

    /** False: the record alone is too large, and nothing was changed. */
    remember(record: Completed, since: number): boolean {
      const entry = { record, since, bytes: sizeOf(record) };
      if (entry.bytes > limits.bytes) return false;
      add(entry);
      while (bytes > limits.bytes) forget(oldest.next().value as string);
      return true;
    },
  };
}

/** The outcome with bytes of its own: those that came may be a view of far more memory. */
function owned(outcome: Outcome): Outcome {
  const { body } = outcome;
  return body instanceof Uint8Array ? ({ ...outcome, body: new Uint8Array(body) } as Outcome) : outcome;
}

/** Bytes, as measured on Node 24 by `bench/cache.ts`; `record`: with all that is of one length in every record. */
const WEIGHTS = { record: 420, object: 56, number: 16, text: 16, buffer: 216 };

/** What a record takes in memory. */
function sizeOf({ id, identity, outcome }: Completed): number {
  return WEIGHTS.record + weightOf(id) + weightOf(identity) + weightOf(outcome);
}

function weightOf(value: unknown): number {
  if (typeof value === 'string') return WEIGHTS.text + (IS_LATIN1.test(value) ? 1 : 2) * value.length;
  if (value instanceof Uint8Array) return WEIGHTS.buffer + value.length;
  if (typeof value !== 'object' || value === null) return WEIGHTS.number;
  let sum = WEIGHTS.object;
  for (const name in value) sum += weightOf((value as Record<string, unknown>)[name]);
  return sum;
}

// Of these V8 keeps a byte each, of others two.
const IS_LATIN1 = /^[\0-\xff]*$/;
