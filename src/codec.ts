import { deserialize, serialize } from 'node:v8';

/** How values become bytes. Neither function may alter what it is given. */
export interface Codec {
  /** Kept with every value: what another codec wrote is `RESULT_UNAVAILABLE`, never misread. Not `json` nor `v8`. */
  readonly name: string;
  /** Throws for what it cannot give back as it was: that is recorded as done without value. */
  readonly encode: (value: unknown) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

/**
 * Node's own structured clone: `undefined`, Date, BigInt, Map, Set, RegExp, bytes, errors and cycles. Backward compatible by
 * Node's word (https://nodejs.org/api/v8.html#serialization-api); Node 20, 22 and 24 write and read the same version.
 */
export const CLONE: Codec = {
  name: 'v8',
  encode: (value) => {
    refuseLossy(value, new Set());
    return serialize(value);
  },
  decode: deserialize,
};

/** Whether JSON gives back exactly what went in. */
export function isJson(value: unknown, path: readonly unknown[] = []): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || path.includes(value) || path.length > 256) return false;
  const below = [...path, value];
  if (Array.isArray(value) && Object.keys(value).length !== value.length) return false; // holes, or members of its own
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  const prototype = Object.getPrototypeOf(value);
  if (![Object.prototype, Array.prototype, null].includes(prototype) || 'toJSON' in value) return false;
  return Object.values(value).every((member) => isJson(member, below));
}

const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
const BYTES = Object.getPrototypeOf(Uint8Array) as new () => object;
const CLONED = new Set<unknown>(
  [Object, Array, Date, RegExp, Map, Set, ArrayBuffer, ...ERRORS].map(({ prototype }) => prototype),
).add(null);

// Structured clone makes plain objects of what it does not know, and drops what an error carries.
function refuseLossy(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof BYTES) return;
  const prototype = Object.getPrototypeOf(value);
  if (!CLONED.has(prototype))
    throw new TypeError(`an instance of ${prototype.constructor?.name} would not be one again`);
  const isError = value instanceof Error;
  if (isError && Object.keys(value).length > 0) throw new TypeError(`what the error carries would be lost`);
  if (Object.getOwnPropertySymbols(value).length > 0) throw new TypeError('members named by symbols would be lost');
  if (value instanceof Map || value instanceof Set) for (const entry of value.entries()) refuseLossy(entry, seen);
  if (isError) refuseLossy(value.cause, seen);
  for (const member of Object.values(value)) refuseLossy(member, seen);
}
