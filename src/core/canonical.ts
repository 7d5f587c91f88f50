/** JSON without a canonical form: the fault of its sender, not of the code that asks for one. */
export class NotCanonical extends RangeError {}

/** Deeper than any payload people write, and far from the end of the stack. */
const MAX_DEPTH = 256;

/**
 * JSON in one form only, by RFC 8785: members sorted by UTF-16 code units, numbers and strings as ECMAScript writes them.
 *
 * Follows `toJSON` and leaves out undefined members, as `JSON.stringify` does. What that would silently make equal (Map, Set,
 * BigInt, NaN, functions, symbols, cycles, objects without members of their own) throws a `TypeError`. Lone surrogates, numbers
 * too large for a double and what is nested too deep, which JSON can carry, throw {@link NotCanonical}.
 */
export function canonicalJson(value: unknown): string {
  const text: Text = { joined: '', parts: '', count: 0 };
  write('', value, [], text);
  return text.joined + text.parts;
}

// A number with more digits than a double holds: parsing would make it equal to another. Spaces are looked at once, and not
// again from each of them.
const LONG_NUMBER = /(?:^|[[:,])(?=(\s*))\1-?(?:\d{16}|[\d.]{17})/;

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

/** A long text from short ones. Concatenation keeps a node for each of them until the text is read. */
interface Text {
  joined: string;
  parts: string;
  count: number;
}

function add(text: Text, part: string): void {
  text.parts += part;
  // Stryker disable all: only memory tells
  if (++text.count % 4096 > 0) return;
  text.parts.charCodeAt(0); // reads it
  text.joined += text.parts;
  text.parts = '';
  // Stryker restore all
}

function write(before: string, value: unknown, above: object[], text: Text): void {
  const isObject = typeof value === 'object' && value !== null;
  add(text, isObject ? before : before + written(value));
  if (isObject) writeObject(value, above, text);
}

function written(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      if (Number.isNaN(value)) throw new TypeError('NaN has no canonical form');
      if (!Number.isFinite(value)) throw new NotCanonical(`${value} has no canonical form`);
      return `${value}`;
    case 'boolean':
    case 'object':
      return `${value}`; // null
    default:
      throw new TypeError(`${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`} has no canonical form`);
  }
}

// Of these a text, as most have it, needs no escape, and has no lone surrogate.
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

function quoted(text: string): string {
  // Stryker disable next-line all: only time tells
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new NotCanonical('a lone surrogate has no canonical form');
  return JSON.stringify(text);
}

function writeObject(value: object, above: object[], text: Text): void {
  if (above.includes(value)) throw new TypeError('a cycle has no canonical form');
  if (above.length >= MAX_DEPTH) throw new NotCanonical(`nested deeper than ${MAX_DEPTH}`);
  above.push(value);
  if ('toJSON' in value && typeof value.toJSON === 'function') write('', value.toJSON(), above, text);
  else if (Array.isArray(value)) writeElements(value, above, text);
  else writeMembers(value as Record<string, unknown>, above, text);
  above.pop();
}

function writeElements(elements: readonly unknown[], above: object[], text: Text): void {
  let before = '[';
  for (let index = 0; index < elements.length; index++) {
    write(before, elements[index], above, text);
    before = ',';
  }
  add(text, before === '[' ? '[]' : ']');
}

function writeMembers(members: Record<string, unknown>, above: object[], text: Text): void {
  if (!isPlain(members) && !isRecordLike(members)) throw formless(members);
  let before = '{';
  for (const name of sorted(Object.keys(members))) {
    const member = members[name];
    if (member === undefined) continue;
    write(`${before}${quoted(name)}:`, member, above, text);
    before = ',';
  }
  if (before === '{' && !isPlain(members)) throw formless(members);
  add(text, before === '{' ? '{}' : '}');
}

/** By code units, in place. Few names are sorted by insertion: the engine's own sort allocates more than all the rest does. */
function sorted(names: string[]): string[] {
  // Stryker disable next-line all: only time tells
  if (names.length > 16) return names.sort();
  for (let end = 1; end < names.length; end++) {
    const name = names[end] as string;
    let place = end;
    // Stryker disable next-line ConditionalExpression,EqualityOperator: no two are equal, and `undefined` before them is not greater
    for (; place > 0 && (names[place - 1] as string) > name; place--) names[place] = names[place - 1] as string;
    names[place] = name;
  }
  return names;
}

function formless(value: object): TypeError {
  return new TypeError(`a ${value.constructor?.name || 'nameless object'} has no canonical form`);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

// An instance of a user's class, as opposed to a Map, a RegExp, a typed array, whose content is not in its members.
function isRecordLike(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]';
}
