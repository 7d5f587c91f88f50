/** Beyond it nothing is copied. */
const DEEPEST = 100;

/** Nodes that come again, as they are shared. Of a few objects that contain each other twice, there is no end otherwise. */
const MOST_AGAIN = 100_000;

/** A value of a record as a tree, so that what walks it ends. An error is its members, without a stack. */
export function treeOf(value: unknown): unknown {
  const seen = new Set<unknown>();
  let left = MOST_AGAIN;

  const copied = (one: unknown, within: readonly unknown[], isShared: boolean): unknown => {
    if (isShared && left-- <= 0) return '…';
    if (!hasMembers(one)) return one;
    if (within.includes(one)) return '[circular]';
    if (within.length > DEEPEST) return '…';
    const isAgain = isShared || seen.has(one);
    seen.add(one);
    const path = [...within, one];
    const copy = (member: unknown): unknown => copied(member, path, isAgain);
    if (one instanceof Map) return new Map([...one].map(([key, member]) => [copy(key), copy(member)]));
    if (one instanceof Set) return new Set([...one].map(copy));
    if (Array.isArray(one)) return one.map(copy);
    return Object.fromEntries(Object.entries(membersOf(one)).map(([name, member]) => [name, copy(member)]));
  };
  return copied(value, [], false);
}

function hasMembers(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || value instanceof Map || value instanceof Set || value instanceof Error) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function membersOf(value: object): object {
  if (!(value instanceof Error)) return value;
  const { name, message, cause } = value;
  return { ...value, name, message, ...(cause !== undefined && { cause }) };
}
