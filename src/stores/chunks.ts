import { lazy } from '../core/lazy.ts';
import type { IdempotencyRecord, Outcome } from '../core/record.ts';
import type { Store, Write, Written } from '../core/store.ts';
import type { ChunkTable } from './chunk.ts';

/** Bytes. An item of fewer costs one write unit in any case: compression saves nothing. */
const PACKED_ABOVE = 1024;

/**
 * A store for large bodies: they are compressed, and kept apart in chunks if they are still large. Chunks are written before the
 * record that points to them, and expire after it. Their keys begin with the record's, and are never used again, so no run can change
 * the chunks of another.
 */
export function withChunks(store: Store, table: ChunkTable): Store {
  // A function with small results never loads it.
  const large = lazy(async () => (await import('./large-body.ts')).largeBodies(table));

  /** The write with an outcome that fits into a record, also if nobody has asked the store to keep it before. */
  const fitting = (write: Write, signal?: AbortSignal): Write | Promise<Write> => {
    const ended = write.kind === 'update' ? write.change : write.next;
    const outcome = 'outcome' in ended ? ended.outcome : undefined;
    const isFit = !outcome || outcome.kind === 'unavailable' || outcome.stored || isSmall(outcome);
    return isFit ? write : fitted(write, ended, outcome, signal);
  };

  const fitted = async (write: Write, ended: object, outcome: Outcome, signal?: AbortSignal): Promise<Write> => {
    const record = write.kind === 'update' ? { ...write.held, ...expiryOf(ended) } : write.next;
    const kept = { ...ended, outcome: await (await large()).keep(outcome, { record }, signal) };
    return (write.kind === 'update' ? { ...write, change: kept } : { ...write, next: kept }) as Write;
  };

  const renewing = ({ next }: Extract<Write, { kind: 'replace' }>, signal?: AbortSignal) => {
    return async (written: Written): Promise<Written> => {
      if (written.done) await (await large()).renew(next, signal);
      return written;
    };
  };

  const chunked: Store = {
    ...store,
    keepsBelow: PACKED_ABOVE,

    write(write, signal) {
      const fit = fitting(write, signal);
      const written = fit instanceof Promise ? fit.then((one) => store.write(one, signal)) : store.write(fit, signal);
      return write.kind === 'replace' && pointsElsewhere(write.next) ? written.then(renewing(write, signal)) : written;
    },

    async keep(outcome, place, signal) {
      if (outcome.kind === 'unavailable' || outcome.body === undefined) return outcome;
      const most = place.room ?? place.inline ?? PACKED_ABOVE;
      if (isSmall(outcome, most)) return outcome;
      return (await large()).keep(outcome, place, signal);
    },

    async load(outcome, id, signal) {
      return outcome.kind === 'unavailable' || !outcome.stored ? outcome : (await large()).load(outcome, id, signal);
    },
  };
  const { transact } = store;
  if (!transact) return chunked;
  return {
    ...chunked,
    transact: async (write, writes, signal) => transact(await fitting(write, signal), writes, signal),
  };
}

/** `most`: bytes. */
function isSmall({ body = '' }: Outcome, most = PACKED_ABOVE): boolean {
  return Buffer.byteLength(body) <= Math.min(PACKED_ABOVE, most);
}

/** Whether steps of a record are kept apart. */
function pointsElsewhere(record: IdempotencyRecord): boolean {
  if (record.status === 'COMPLETED') return false;
  return Object.values(record.steps).some((step) => step.kind !== 'unavailable' && step.stored?.['at'] !== undefined);
}

/** A step does not move the expiry of its record. */
function expiryOf(ended: object): { readonly expiresAt?: number } {
  return 'expiresAt' in ended ? { expiresAt: ended.expiresAt as number } : {};
}
