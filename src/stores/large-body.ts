import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { IdempotencyError } from '../core/errors.ts';
import { isTransient, paused, persistently } from '../core/patience.ts';
import { type IdempotencyRecord, type Outcome, type WithBody, withoutBody } from '../core/record.ts';
import type { Place, Store } from '../core/store.ts';
import { CHUNK_BYTES, type Chunk, type ChunkTable, MOST_BYTES, MOST_CHUNKS } from './chunk.ts';

/**
 * A body of more bytes is kept apart. Inline, a duplicate costs one write unit per KB. Apart, it costs one write unit, and one
 * read unit (a fifth of the price) per 4 KB; but the first run costs one unit and one round trip more. If one request in seven
 * is a duplicate, both cost the same at 8 KB.
 */
const APART_ABOVE = 8 * 1024;

type Work = (bytes: zlib.InputType, options: object, done: (error: Error | null, worked: Buffer) => void) => void;

// zstd takes a tenth of the time that gzip takes; Node has it since 22.15. What either has packed is read wherever Node can.
const { zstdCompress, zstdDecompress } = zlib as { zstdCompress?: Work; zstdDecompress?: Work };
const [HOW, pack] = zstdCompress ? (['zstd', zstdCompress] as const) : (['gzip', zlib.gzip as Work] as const);
const UNPACK: Record<string, Work | undefined> = { gzip: zlib.gunzip as Work, zstd: zstdDecompress };

// As gzip always has: otherwise a damaged body could be read as another.
const CHECKED = { params: { [zlib.constants.ZSTD_c_checksumFlag ?? 0]: 1 } };

// 300 KB can hold 1 GB: anyone who can write to the table could otherwise fill our memory.
const AT_MOST = { maxOutputLength: MOST_BYTES };

const DAY = 24 * 60 * 60;

/** Ms. Best effort: a duplicate that misses a chunk is told so. */
const RENEWED_WITHIN_MS = 1_000;

/** What a store does with bodies that are not small. */
export interface LargeBodies extends Required<Pick<Store, 'keep' | 'load'>> {
  /** Lets the chunks of a record live as long as it does. */
  readonly renew: (next: IdempotencyRecord, signal?: AbortSignal) => Promise<void>;
}

export function largeBodies(table: ChunkTable): LargeBodies {
  const unfinished = new WeakMap<Outcome, Parts>();
  return {
    async keep(outcome, { record, inline = APART_ABOVE, room }, signal) {
      if (outcome.kind === 'unavailable' || outcome.body === undefined) return outcome;
      const { body, ...rest } = outcome as WithBody & Required<Pick<WithBody, 'body'>>;
      const size = Buffer.byteLength(body);
      if (size > MOST_BYTES) return withoutBody(outcome, `larger than ${MOST_BYTES} bytes`);
      const most = room ?? inline;
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
        return { ...rest, body: await unpacked(bytes, String(stored['packed'])) };
      } catch {
        return withoutBody(outcome, 'it was damaged');
      }
    },

    renew: (next, signal) => renew(table, next, signal),
  };
}

interface Packed {
  readonly bytes: Uint8Array;
  readonly how: { readonly packed: 'zstd' | 'gzip' | 'no' };
}

/** Compressed, unless that makes it larger. */
async function smaller(bytes: Uint8Array): Promise<Packed> {
  const packed = await worked(pack, bytes, CHECKED);
  return packed.length < bytes.length ? { bytes: packed, how: { packed: HOW } } : { bytes, how: { packed: 'no' } };
}

async function unpacked(bytes: Uint8Array, how: string): Promise<Uint8Array> {
  if (how !== 'zstd' && how !== 'gzip') return bytes;
  const unpack = UNPACK[how];
  if (!unpack) throw new Error('this version of Node has no zstd');
  return worked(unpack, bytes, AT_MOST);
}

function worked(work: Work, bytes: Uint8Array, options: object): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    work(bytes, options, (error, result) => (error ? reject(error) : resolve(result)));
  });
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
