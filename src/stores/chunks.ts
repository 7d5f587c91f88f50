import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { isIdempotencyError } from '../core/errors.ts';
import type { IdempotencyRecord, Outcome } from '../core/record.ts';
import type { Store, Write } from '../core/store.ts';

/** An item of fewer bytes costs one write unit in any case: compression saves nothing. */
const PACKED_ABOVE = 1024;

/**
 * A body of more bytes is kept apart. Inline, a duplicate costs one write unit per KB. Apart, it costs one write unit, and one
 * read unit (a fifth of the price) per 4 KB; but the first run costs one unit and one round trip more. If one request in seven
 * is a duplicate, both cost the same at 8 KB.
 */
const APART_ABOVE = 8 * 1024;

/** Of an item's 400 KB. */
const CHUNK_BYTES = 380 * 1024;

/** More than a Lambda function can answer with (6 MB), less than one batch of reads hands out (16 MB). */
const MOST_BYTES = 8 * 1024 * 1024;

const pack = promisify(gzip);
const unpack = promisify(gunzip);

const DAY = 24 * 60 * 60;

/** A part of a body, an item of its own. */
export interface Chunk {
  readonly id: string;
  readonly bytes: Uint8Array;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** A table that keeps chunks beside records. */
export interface ChunkTable {
  put(chunk: Chunk, signal?: AbortSignal): Promise<void>;
  /** The bytes of each chunk, by one batch of reads; undefined: the chunk is gone. */
  get(ids: readonly string[], signal?: AbortSignal): Promise<readonly (Uint8Array | undefined)[]>;
  /** Moves the expiry of a chunk, if it exists. */
  renew(id: string, expiresAt: number, signal?: AbortSignal): Promise<void>;
}

/**
 * A store for large bodies: they are compressed, and kept apart in chunks if they are still large. Chunks are written before the
 * record that points to them, and expire after it. Their keys hold the owner and are never used again, so no run can change the
 * chunks of another. A body that cannot be written is recorded as done without value.
 */
export function withChunks(store: Store, table: ChunkTable): Store {
  const { transact, read } = store;
  const stowed = (write: Write, signal?: AbortSignal, apartAbove?: number): Promise<Write> =>
    withOutcome(write, (outcome, by) => stow(outcome, { table, by, signal, apartAbove }));
  return {
    async write(write, signal) {
      const written = await store.write(await stowed(write, signal), signal).catch(async (error: unknown) => {
        // Refused for good: many small steps have filled the record, so this one is kept apart.
        const isFull = isStep(write) && isIdempotencyError(error) && !error.retryable;
        if (isFull) return store.write(await stowed(write, signal, 0), signal);
        throw error;
      });
      if (written.done && write.kind === 'replace') await renew(table, write.next, signal);
      return written;
    },

    ...(transact && {
      transact: async (write, writes, signal) => transact(await stowed(write, signal), writes, signal),
    }),

    async load(outcome, signal) {
      if (outcome.kind === 'unavailable' || !outcome.stored) return outcome;
      const { stored, body = '', ...rest } = outcome;
      const ids = pointedTo(outcome);
      const parts = ids.length > 0 ? await table.get(ids, signal) : [Buffer.from(body as Uint8Array)];
      if (!isWhole(parts)) return { kind: 'unavailable', body: 'a part of it is gone' };
      const bytes = Buffer.concat(parts);
      try {
        return { ...rest, body: stored['packed'] ? await unpack(bytes) : bytes };
      } catch {
        return { kind: 'unavailable', body: 'it was damaged' };
      }
    },

    ...(read && { read }),
  };
}

function isStep(write: Write): boolean {
  return write.kind === 'update' && write.change.kind === 'step';
}

/** The write with its outcome changed, if it has one. */
async function withOutcome(write: Write, change: (outcome: Outcome, by: Pointing) => Promise<Outcome>): Promise<Write> {
  if (write.kind !== 'update') {
    const { next } = write;
    return next.status === 'COMPLETED'
      ? { ...write, next: { ...next, outcome: await change(next.outcome, next) } }
      : write;
  }
  const { held, change: to } = write;
  if (to.kind !== 'complete' && to.kind !== 'step') return write;
  const holder = to.kind === 'complete' ? { ...held, expiresAt: to.expiresAt } : held;
  return { ...write, change: { ...to, outcome: await change(to.outcome, holder) } };
}

/** The outcome as the record keeps it: with its body, a compressed body, or a pointer to chunks. */
async function stow(outcome: Outcome, { apartAbove = APART_ABOVE, ...place }: Place): Promise<Outcome> {
  if (outcome.kind === 'unavailable' || outcome.body === undefined) return outcome;
  const { body, ...rest } = outcome;
  const size = Buffer.byteLength(body);
  if (size > MOST_BYTES) return { kind: 'unavailable', body: `larger than ${MOST_BYTES} bytes` };
  if (size <= Math.min(PACKED_ABOVE, apartAbove)) return outcome;
  const plain = Buffer.from(body as Uint8Array);
  const packed = await pack(plain);
  const isSmaller = packed.length < size;
  const [bytes, how] = isSmaller ? [packed, { packed: 'gzip' }] : [plain, {}];
  if (bytes.length <= apartAbove) return isSmaller ? { ...rest, body: bytes, stored: how } : outcome;
  try {
    return { ...rest, stored: { ...how, ...(await split(bytes, place)) } };
  } catch {
    return { kind: 'unavailable', body: 'it could not be written' };
  }
}

/** Writes the bytes as chunks, and returns the pointer to them. */
async function split(bytes: Uint8Array, { table, by, signal }: Place): Promise<Pointer> {
  const pointer = { at: `${by.id}#${by.owner}#${randomUUID()}`, chunks: Math.ceil(bytes.length / CHUNK_BYTES) };
  const expiresAt = chunksExpireAt(by);
  const part = (n: number): Uint8Array => bytes.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES);
  await Promise.all(idsOf(pointer).map((id, n) => table.put({ id, bytes: part(n), expiresAt }, signal)));
  return pointer;
}

/** Chunks of earlier attempts must live as long as the record that points to them now. */
async function renew(table: ChunkTable, next: IdempotencyRecord, signal?: AbortSignal): Promise<void> {
  const kept = next.status === 'COMPLETED' ? [] : Object.values(next.steps).flatMap(pointedTo);
  await Promise.allSettled(kept.map((id) => table.renew(id, chunksExpireAt(next), signal)));
}

interface Pointer {
  readonly at: string;
  readonly chunks: number;
}

/** Where chunks are written, and for which record. */
interface Place {
  readonly table: ChunkTable;
  readonly by: Pointing;
  readonly signal?: AbortSignal | undefined;
  /** Bytes. */
  readonly apartAbove?: number | undefined;
}

/** The record that will point to the chunks. */
interface Pointing {
  readonly id: string;
  readonly owner?: string | undefined;
  readonly expiresAt?: number | undefined;
  readonly leaseUntil?: number;
  readonly retention?: number;
}

// A release moves the record's expiry. If the record has none, its chunks outlive the lease by three months.
function chunksExpireAt({ expiresAt, leaseUntil = 0, retention = 0 }: Pointing): number {
  if (expiresAt === undefined) return Math.ceil((Math.max(leaseUntil, Date.now()) + retention) / 1000) + 90 * DAY;
  const released = leaseUntil > 0 ? Math.ceil((Date.now() - leaseUntil) / 1000) + expiresAt : expiresAt;
  return Math.max(expiresAt, released) + DAY;
}

function pointedTo(outcome: Outcome): string[] {
  const { at, chunks } = (outcome.kind !== 'unavailable' && outcome.stored) || {};
  return at === undefined ? [] : idsOf({ at: String(at), chunks: Number(chunks) });
}

function isWhole(parts: readonly (Uint8Array | undefined)[]): parts is readonly Uint8Array[] {
  return !parts.includes(undefined);
}

function idsOf({ at, chunks }: Pointer): string[] {
  return Array.from({ length: chunks }, (_, n) => `${at}#${n}`);
}
