/** Of an item's 400 KB. */
export const CHUNK_BYTES = 380 * 1024;

/** More than a Lambda function can answer with (6 MB), less than one batch of reads hands out (16 MB). */
export const MOST_BYTES = 8 * 1024 * 1024;

/** Of one body. */
export const MOST_CHUNKS = Math.ceil(MOST_BYTES / CHUNK_BYTES);

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
