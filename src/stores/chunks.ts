import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip, type ZlibOptions } from 'node:zlib';
import { IdempotencyError } from '../core/errors.ts';
import { isTransient, paused, persistently } from '../core/patience.ts';
import { type IdempotencyRecord, type Outcome, type WithBody, withoutBody } from '../core/record.ts';
import type { Place, Store, Write } from '../core/store.ts';

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

/** Of one body. */
export const MOST_CHUNKS = Math.ceil(MOST_BYTES / CHUNK_BYTES);

const pack = promisify(gzip);
// 300 KB of gzip can hold 1 GB: anyone who can write to the table could otherwise fill our memory.
const unpack = promisify<Uint8Array, ZlibOptions, Buffer>(gunzip);
const AT_MOST = { maxOutputLength: MOST_BYTES };

const DAY = 24 * 60 * 60;

/** Ms. Best effort: a duplicate that misses a chunk is told so. */
const RENEWED_WITHIN_MS = 1_000;

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
 * record that points to them, and expire after it. Their keys begin with the record's, and are never used again, so no run can change
 * the chunks of another.
 */
export function withChunks(store: Store, table: ChunkTable): Store {
  const unfinished = new WeakMap<Outcome, Parts>();
  const chunked: Store = {
    ...store,

    async write(write, signal) {
      const written = await store.write(await fitting(chunked, write, signal), signal);
      if (written.done && write.kind === 'replace') await renew(table, write.next, signal);
      return written;
    },

    async keep(outcome, { record, inline = APART_ABOVE, room }, signal) {
      if (outcome.kind === 'unavailable' || outcome.body === undefined) return outcome;
      const { body, ...rest } = outcome as WithBody & Required<Pick<WithBody, 'body'>>;
      const size = Buffer.byteLength(body);
      if (size > MOST_BYTES) return withoutBody(outcome, `larger than ${MOST_BYTES} bytes`);
      const most = room ?? inline;
      if (size <= Math.min(PACKED_ABOVE, most)) return outcome;
      const begun = room === undefined ? unfinished.get(outcome) : undefined;
      if (begun) return { ...(rest as WithBody), stored: await putAll(begun, table, signal) };
      const { bytes, how } = await smaller(Buffer.from(body as Uint8Array));
      if (bytes.length <= most) return { ...(rest as WithBody), body: bytes, stored: how };
      if (room !== undefined) throw new IdempotencyError('RESULT_UNAVAILABLE', `larger than ${room} bytes`);
      const parts = partsOf(bytes, how, record);
      unfinished.set(outcome, parts); // a second try writes what the first could not
      return { ...(rest as WithBody), stored: await putAll(parts, table, signal) };
    },

    async load(outcome, id, signal) {
      if (outcome.kind === 'unavailable' || !outcome.stored) return outcome;
      const { stored, body = '', ...rest } = outcome;
      const ids = pointedTo(outcome, id);
      const parts = ids ? await table.get(ids, signal) : [Buffer.from(body as Uint8Array)];
      if (!isWhole(parts)) return withoutBody(outcome, 'a part of it is gone');
      const bytes = Buffer.concat(parts);
      try {
        return { ...rest, body: stored['packed'] === 'gzip' ? await unpack(bytes, AT_MOST) : bytes };
      } catch {
        return withoutBody(outcome, 'it was damaged');
      }
    },
  };
  const { transact } = store;
  if (!transact) return chunked;
  return {
    ...chunked,
    transact: async (write, writes, signal) => transact(await fitting(chunked, write, signal), writes, signal),
  };
}

/** The write with an outcome that fits into a record, also if nobody has asked the store to keep it before. */
async function fitting({ keep }: Store, write: Write, signal?: AbortSignal): Promise<Write> {
  const kept = async (outcome: Outcome, record: Place['record']): Promise<Outcome> => {
    const isKept = outcome.kind === 'unavailable' || outcome.stored;
    return isKept || !keep ? outcome : keep(outcome, { record }, signal);
  };
  if (write.kind === 'update') {
    const { held, change } = write;
    if (change.kind !== 'complete' && change.kind !== 'step') return write;
    const record = change.kind === 'complete' ? { ...held, expiresAt: change.expiresAt } : held;
    return { ...write, change: { ...change, outcome: await kept(change.outcome, record) } };
  }
  const { next } = write;
  return next.status === 'COMPLETED' ? { ...write, next: { ...next, outcome: await kept(next.outcome, next) } } : write;
}

interface Packed {
  readonly bytes: Uint8Array;
  readonly how: { readonly packed: 'gzip' | 'no' };
}

/** Compressed, unless that makes it larger. */
async function smaller(bytes: Uint8Array): Promise<Packed> {
  const packed = await pack(bytes);
  return packed.length < bytes.length ? { bytes: packed, how: { packed: 'gzip' } } : { bytes, how: { packed: 'no' } };
}

/** A body on its way. */
interface Parts {
  readonly stored: Packed['how'] & Pointer;
  /** Chunks that are not written yet. */
  readonly chunks: Set<Chunk>;
}

function partsOf(bytes: Uint8Array, how: Packed['how'], record: Place['record']): Parts {
  const at = randomBytes(9).toString('base64url');
  const stored = { ...how, at, chunks: Math.ceil(bytes.length / CHUNK_BYTES) };
  const expiresAt = chunksExpireAt(record);
  const part = (n: number): Uint8Array => bytes.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES);
  return { stored, chunks: new Set(idsOf(stored, record.id).map((id, n) => ({ id, bytes: part(n), expiresAt }))) };
}

/** Writes the chunks, and gives the pointer to them. */
async function putAll({ stored, chunks }: Parts, table: ChunkTable, signal?: AbortSignal) {
  const put = async (chunk: Chunk): Promise<void> => {
    await table.put(chunk, signal);
    chunks.delete(chunk);
  };
  const ends = await Promise.allSettled(Array.from(chunks, put));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { ...stored };
}

/** Chunks of earlier attempts must live as long as the record that points to them now. */
async function renew(table: ChunkTable, next: IdempotencyRecord, signal?: AbortSignal): Promise<void> {
  const kept =
    next.status === 'COMPLETED' ? [] : Object.values(next.steps).flatMap((step) => pointedTo(step, next.id) ?? []);
  if (kept.length === 0) return;
  const renewed = (id: string) =>
    persistently(() => table.renew(id, chunksExpireAt(next), signal), isTransient, RENEWED_WITHIN_MS, signal);
  await Promise.race([Promise.allSettled(kept.map(renewed)), paused(RENEWED_WITHIN_MS)]);
}

/** Where the chunks of a record are. */
interface Pointer {
  /** Random. */
  readonly at: string;
  readonly chunks: number;
}

// A release moves the record's expiry. If the record has none, its chunks outlive the lease by three months.
function chunksExpireAt({ expiresAt, leaseUntil = 0, retention = 0 }: Place['record']): number {
  if (expiresAt === undefined) return Math.ceil((Math.max(leaseUntil, Date.now()) + retention) / 1000) + 90 * DAY;
  const released = leaseUntil > 0 ? Math.ceil((Date.now() - leaseUntil) / 1000) + expiresAt : expiresAt;
  return Math.max(expiresAt, released) + DAY;
}

/** The ids of the chunks of an outcome. Undefined: its body is in the record. */
function pointedTo(outcome: Outcome, id: string): string[] | undefined {
  const { at, chunks } = (outcome.kind !== 'unavailable' && outcome.stored) || {};
  return at === undefined ? undefined : idsOf({ at: String(at), chunks: Number(chunks) }, id);
}

function isWhole(parts: readonly (Uint8Array | undefined)[]): parts is readonly Uint8Array[] {
  return !parts.includes(undefined);
}

function idsOf({ at, chunks }: Pointer, id: string): string[] {
  return Array.from({ length: Math.min(chunks, MOST_CHUNKS) }, (_, n) => `${id}#${at}#${n}`);
}
