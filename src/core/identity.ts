import { createHash } from 'node:crypto';

/** JSON without a canonical form: the fault of its sender, not of the code that asks for one. */
export class NotCanonical extends RangeError {}

/** Deeper than any payload people write, and far from the end of the stack. */
const MAX_DEPTH = 256;

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

/**
 * A key for something that is done within a run, in the shape of a UUID (version 8, RFC 9562): 36 characters, which every
 * provider's idempotency key takes. The same for the same record and name, on every attempt.
 */
export function derivedKey(id: string, name: string): string {
  const hex = createHash('sha256')
    .update(canonicalJson([id, name]))
    .digest('hex');
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
  return /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(key) ? 'has characters that cannot be printed' : undefined;
}

/** A key made of parts that may be too long for one, or not printable. */
export function keyOf(...parts: readonly unknown[]): string {
  return sha256(writtenOnce(parts));
}

/**
 * JSON in one form only, by RFC 8785: members sorted by UTF-16 code units, numbers and strings as ECMAScript writes them.
 *
 * Follows `toJSON` and leaves out undefined members, as `JSON.stringify` does. What that would silently make equal (Map, Set,
 * BigInt, NaN, functions, symbols, cycles, objects without members of their own) throws a `TypeError`. Lone surrogates, numbers
 * too large for a double and what is nested too deep, which JSON can carry, throw {@link NotCanonical}.
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

// A number with more digits than a double holds: parsing would make it equal to another.
const LONG_NUMBER = /(^|[[:,])\s*-?(\d{16}|[\d.]{17})/;

/** Whether a JSON text has such a number. */
export function losesDigits(text: string): boolean {
  return LONG_NUMBER.test(text);
}

/** {@link canonicalJson} of a JSON text, or the text itself if it has no canonical form; undefined: it is not JSON. */
export function canonicalText(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return losesDigits(text) ? text : writtenOnce(value, text);
}

/** {@link canonicalJson} of what was parsed; if it has none, `otherwise`: the JSON with its members in the order of its sender. */
export function writtenOnce(value: unknown, otherwise?: string): string {
  try {
    return canonicalJson(value);
  } catch {
    return otherwise ?? JSON.stringify(value);
  }
}

function write(value: unknown, path: readonly unknown[]): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new NotCanonical('a lone surrogate has no canonical form');
      return JSON.stringify(value);
    case 'number':
      if (Number.isNaN(value)) throw new TypeError('NaN has no canonical form');
      if (!Number.isFinite(value)) throw new NotCanonical(`${value} has no canonical form`);
      return JSON.stringify(value);
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : writeObject(value, path);
    default:
      throw new TypeError(`${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`} has no canonical form`);
  }
}

function writeObject(value: object, path: readonly unknown[]): string {
  if (path.includes(value)) throw new TypeError('a cycle has no canonical form');
  if (path.length >= MAX_DEPTH) throw new NotCanonical(`nested deeper than ${MAX_DEPTH}`);
  const below = [...path, value];
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), below);
  if (Array.isArray(value)) return `[${Array.from(value, (element) => write(element, below)).join()}]`;
  const members = new Map(Object.entries(value).filter(([, member]) => member !== undefined));
  if (!isPlain(value) && (!isRecordLike(value) || members.size === 0)) {
    throw new TypeError(`a ${value.constructor?.name || 'nameless object'} has no canonical form`);
  }
  const names = [...members.keys()].sort(); // by code units
  return `{${names.map((name) => `${write(name, below)}:${write(members.get(name), below)}`).join()}}`;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

// An instance of a user's class, as opposed to a Map, a RegExp, a typed array, whose content is not in its members.
function isRecordLike(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
