import { lazy } from '../core/lazy.ts';

/**
 * How values become bytes, and back, at once or as a promise. Neither function may change its argument.
 *
 * An error with a status of 5xx or 429, or the mark of a throttled AWS request, is taken for an outage: the value is encoded or
 * decoded again while there is time. `id`: the record's, to bind a ciphertext to it. Name, message and status of a terminal error
 * are kept beside its bytes, as they are.
 *
 * @example
 * const cbor: Codec = { name: 'cbor', encode: (value) => encode(value), decode: (bytes) => decode(bytes) };
 */
export interface Codec {
  /** Kept with every value: a value of another codec is `RESULT_UNAVAILABLE`, never misread. Not `json` or `v8`. */
  readonly name: string;
  /** Throws for a value that `decode` could not give back: it is recorded as done without value. */
  readonly encode: (value: unknown, of: { readonly id: string }) => Uint8Array | Promise<Uint8Array>;
  readonly decode: (bytes: Uint8Array, of: { readonly id: string }) => unknown;
}

/** Why a value was not kept. The message never quotes the value. */
export class Lossy extends TypeError {}

/**
 * Node's own structured clone: `undefined`, Date, BigInt, Map, Set, RegExp, bytes, errors, shared references and cycles.
 * Backward compatible, as Node promises (https://nodejs.org/api/v8.html#serialization-api).
 */
export const CLONE = {
  name: 'v8',
  encode: (value: unknown): Uint8Array => {
    refuseLossy(value, new Set());
    return v8().serialize(value);
  },
  decode: (bytes: Uint8Array): unknown => {
    const reader = new (v8().CopyingDeserializer)(bytes);
    reader.readHeader();
    return reader.readValue();
  },
};

// Loaded when it is first needed: most results are JSON, and a cold start without it is a millisecond shorter.
const v8 = lazy(() => {
  const { DefaultDeserializer, serialize } = process.getBuiltinModule('node:v8');
  /** Node's own returns views of its input, which would expose the memory beside them. */
  class CopyingDeserializer extends DefaultDeserializer {
    /** https://nodejs.org/api/v8.html#deserializer_readhostobject; absent in the types. */
    _readHostObject(): unknown {
      const view: NodeJS.ArrayBufferView = (DefaultDeserializer.prototype as any)._readHostObject.call(this);
      const own = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
      return Buffer.isBuffer(view) ? Buffer.from(own) : new (view.constructor as typeof Uint8Array)(own);
    }
  }
  return { serialize, CopyingDeserializer };
});

/** Whether the value survives a round trip through JSON. An object that occurs twice would be doubled. */
export function isJson(value: unknown, seen: Set<unknown> = new Set(), depth = 0): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || seen.has(value) || depth > MAX_DEPTH) return false;
  seen.add(value);
  const isArray = Array.isArray(value);
  const prototype = Object.getPrototypeOf(value);
  if (isArray ? prototype !== Array.prototype : prototype !== Object.prototype && prototype !== null) return false;
  const keys = Object.keys(value);
  if ('toJSON' in value || Reflect.ownKeys(value).length !== keys.length + (isArray ? 1 : 0)) return false;
  if (isArray && !isDense(value, keys)) return false;
  return Object.values(value).every((member) => isJson(member, seen, depth + 1));
}

/** Whether an array has neither holes nor members other than its elements: indices come first, so the last of its keys tells. */
export function isDense({ length }: readonly unknown[], keys: readonly string[]): boolean {
  return keys.length === length && (keys.at(-1) ?? '-1') === `${length - 1}`;
}

/** Deeper than any real value, and far from the end of the stack. */
export const MAX_DEPTH = 256;

const VIEWS = new Set<unknown>(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
  ].map(({ prototype }) => prototype),
).add(Buffer.prototype);
const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
const PLAIN = new Set<unknown>([Object.prototype, Array.prototype, null]);
const CLONED = new Set<unknown>([Date, RegExp, Map, Set, ArrayBuffer, ...ERRORS].map(({ prototype }) => prototype));
const OF_ERRORS = ['stack', 'message', 'cause'];

// Structured clone turns instances of unknown classes into plain objects, and drops members that are not enumerable.
function refuseLossy(value: unknown, seen: Set<unknown>, depth = 0): void {
  if (typeof value === 'function' || typeof value === 'symbol') throw new Lossy(`it holds a ${typeof value}`);
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  if (depth > MAX_DEPTH) throw new Lossy(`it is nested more than ${MAX_DEPTH} levels deep`);
  seen.add(value);
  const prototype = Object.getPrototypeOf(value);
  if (VIEWS.has(prototype)) return;
  // A test that fakes the clock has replaced `Date`.
  if (!PLAIN.has(prototype) && !CLONED.has(prototype) && prototype !== Date.prototype) {
    throw new Lossy(`an instance of ${String(prototype.constructor?.name).slice(0, 100)} would not be one again`);
  }
  const isError = value instanceof Error;
  const members = Object.keys(value);
  const own = Reflect.ownKeys(value).filter((key) => !(isError && OF_ERRORS.includes(String(key))));
  const builtIn = Array.isArray(value) ? 'length' : value instanceof RegExp ? 'lastIndex' : undefined;
  const kept = PLAIN.has(prototype) ? members.length : 0;
  if (own.filter((key) => key !== builtIn).length !== kept) throw new Lossy('members of it would be lost');
  const below: unknown[] = isError ? [value.cause] : Object.values(value);
  if (value instanceof Map || value instanceof Set) below.push(...value.keys(), ...value.values());
  for (const member of below) refuseLossy(member, seen, depth + 1);
}
