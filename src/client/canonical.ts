/**
 * JSON in one form only: members in one order. What JSON would silently make equal (Map, Set, NaN, functions, symbols, and
 * `undefined` other than as a member) is a `TypeError`, as is what it refuses (BigInt, cycles).
 */
export function canonical(payload: unknown): string {
  return JSON.stringify([payload], inOrder);
}

function inOrder(this: unknown, _: string, value: any): unknown {
  const isPlain =
    value === null || /string|boolean/.test(typeof value) || Number.isFinite(value) || Array.isArray(value);
  if (isPlain || (value === undefined && !Array.isArray(this))) return value;
  const kind = {}.toString.call(value);
  if (kind !== '[object Object]') throw new TypeError(`a payload with ${kind} is not JSON`);
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, value[name]]));
}

/** After FNV, 64 bits, by code points, for a storage that should not keep what a user ordered. It hides no secret. */
export function digest(text: string): string {
  let hash = 0n;
  for (const char of text) hash = ((hash ^ BigInt(char.codePointAt(0) as number)) * 0x100000001b3n) % 2n ** 64n;
  return `${hash}`;
}
