import { hash } from 'node:crypto';
import { canonicalJson, writtenOnce } from './canonical.ts';
import type { Identity } from './record.ts';

/**
 * The partition key of a record: `<scope>#<hash>`. The scope is there to be read by an operator; the hash is over all parts,
 * so no separator in a key, principal or scope can make two identities one.
 */
export function recordId(
  scope: string,
  operation: readonly string[],
  principal: string | undefined,
  key: string,
): string {
  return `${scope}#${sha256(canonicalJson([scope, operation, principal ?? null, key]))}`;
}

/** Bytes of id and identity with which a claim costs one write unit: 1 KB, less its other attributes. */
const ROOM = new Uint8Array(736);

const encoder = new TextEncoder();

/** What a record keeps of its identity in clear: each part whole, or cut after a whole character and named in `cut`. */
export function identityOf(id: string, parts: Omit<Identity, 'cut'>): Identity {
  const identity: Record<string, string> = {};
  const cut: string[] = [];
  let at = Buffer.byteLength(id);
  for (const name of ['key', 'operation', 'principal'] as const) {
    const text = parts[name];
    if (!text) continue;
    const { read, written } = encoder.encodeInto(text, ROOM.subarray(at));
    at += written;
    identity[name] = text.slice(0, read);
    if (read < text.length) cut.push(name);
  }
  if (cut.length > 0) identity['cut'] = cut.join(' ');
  return identity;
}

/**
 * A key for something that is done within a run, in the shape of a UUID (version 8, RFC 9562): 36 characters, which every
 * provider's idempotency key takes. The same for the same record and name, on every attempt.
 */
export function derivedKey(id: string, name: string): string {
  const hex = hash('sha256', canonicalJson([id, name]));
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** How fingerprints are made today; it stands before each of them. Those without one are of version 1. */
export const FINGERPRINT_VERSION = '2:';

/**
 * The fingerprint of a payload in its canonical form, for one record. The record's id is in it, so that no table of guessed
 * payloads serves for two records.
 */
export function fingerprintOf(canonical: string, id: string): string {
  return FINGERPRINT_VERSION + sha256(`${id}\n${canonical}`);
}

/** The same by version 1: the payload alone. */
export function formerFingerprintOf(canonical: string): string {
  return sha256(canonical);
}

/** What keeps a text from being a key; undefined: nothing. */
export function keyFault(key: string): string | undefined {
  if (key.length > 255) return 'is longer than 255 characters';
  // The other expression takes a process 0.1 ms to compile.
  // Stryker disable next-line all: only time tells
  if (/^[ -~]*$/.test(key)) return undefined;
  return /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(key) ? 'has characters that cannot be printed' : undefined;
}

/** A key made of parts that may be too long for one, or not printable. */
export function keyOf(...parts: readonly unknown[]): string {
  return sha256(writtenOnce(parts));
}

function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}
