import { CLONE, isDense, MAX_DEPTH } from './codec.ts';

/**
 * The value as it is now: whatever is done to it later changes nothing of the copy. Each of its members is read once, so that a
 * getter cannot give one answer here and another there. What structured clone could not give back stays what it is. `seenAs`: gives
 * what is to be copied in the place of an object.
 */
export function snapshot(value: unknown, seenAs = (one: object): object => one): unknown {
  const seen = new Map<object, unknown>();

  const copied = (value: unknown, depth: number): unknown => {
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
    if (seen.has(value)) return seen.get(value);
    const below = (member: unknown): unknown => copied(member, depth + 1);
    const original = seenAs(value);
    const kind = KINDS.get(Object.getPrototypeOf(original));
    if (kind && !isWhole(original)) return original;
    const copy = kind ? kind.empty() : cloned(original);
    seen.set(value, copy); // before what is in it: that may be the value again
    kind?.fill(copy, original, below);
    return copy;
  };

  try {
    return copied(value, 0);
  } catch {
    return value; // a member cannot be read
  }
}

interface Kind {
  readonly empty: () => object;
  readonly fill: (copy: any, value: any, below: (member: unknown) => unknown) => void;
}

const MEMBERS: Kind = {
  empty: () => ({}),
  fill(copy, value, below) {
    for (const name of Object.keys(value)) {
      const member = below(value[name]);
      if (name === '__proto__') Object.defineProperty(copy, name, { ...DATA, value: member });
      else copy[name] = member;
    }
  },
};
const DATA = { enumerable: true, writable: true, configurable: true };

const KINDS = new Map<unknown, Kind>([
  [Object.prototype, MEMBERS],
  [null, MEMBERS],
  [
    Array.prototype,
    {
      empty: () => [],
      fill(copy: unknown[], value: unknown[], below) {
        if (isDense(value, Object.keys(value))) for (const element of value) copy.push(below(element));
        else MEMBERS.fill(copy, value, below);
        copy.length = value.length; // holes at its end
      },
    },
  ],
  [
    Map.prototype,
    {
      empty: () => new Map(),
      fill(copy: Map<unknown, unknown>, value: Map<unknown, unknown>, below) {
        for (const [key, member] of value) copy.set(below(key), below(member));
      },
    },
  ],
  [
    Set.prototype,
    {
      empty: () => new Set(),
      fill(copy: Set<unknown>, value: Set<unknown>, below) {
        for (const member of value) copy.add(below(member));
      },
    },
  ],
]);

/** Whether its enumerable members, and elements, are all there is of it. */
function isWhole(value: object): boolean {
  const own = Reflect.ownKeys(value).length;
  return own === Object.keys(value).length + (Array.isArray(value) ? 1 : 0) && !(own > 0 && isCollection(value));
}

function isCollection(value: object): boolean {
  return value instanceof Map || value instanceof Set;
}

function cloned(value: object): unknown {
  try {
    return CLONE.decode(CLONE.encode(value));
  } catch {
    return value;
  }
}
