import { parsed } from '../core/check.ts';
import type { Found, Store } from '../core/store.ts';
import { scopeOf } from './glance.ts';
import { type Estimate, estimateOf, SCANNING, type ScanOptions, scanningOf } from './scanning.ts';
import { type State, stateOf } from './state.ts';
import { type Progress, walk } from './walk.ts';

/** Records of one scope in one state. */
export interface Group {
  readonly scope: string;
  readonly state: State;
  readonly records: number;
  readonly bytes: number;
  readonly largestBytes: number;
  /** By the age of their claim. */
  readonly ages: Readonly<Record<Age, number>>;
  /** Epoch ms of the oldest claim. */
  readonly oldest: number;
}

export interface Stats {
  readonly groups: readonly Group[];
  /** What is kept apart from the records: parts of large values. */
  readonly parts: { readonly items: number; readonly bytes: number };
}

export interface Counting {
  /** What it will cost. */
  estimate(): Promise<Estimate>;
  /** Where it is, and what it has cost. */
  progress(): Progress;
  /** Scans the table. */
  result(): Promise<Stats>;
}

export type Age = 'under 1 h' | 'under 1 d' | 'under 7 d' | 'older';

const HOUR = 3_600_000;
const AGES: readonly (readonly [Age, number])[] = [
  ['under 1 h', HOUR],
  ['under 1 d', 24 * HOUR],
  ['under 7 d', 7 * 24 * HOUR],
  ['older', Number.POSITIVE_INFINITY],
];

/**
 * Counts records by scope, state and age, and what they weigh. A scan of the whole table with its values; see `list` for what it throws.
 *
 * @example
 * const { groups } = await stats(dynamoDBStore()).result();
 */
export function stats(store: Store, options: ScanOptions = {}): Counting {
  const scanning = scanningOf(parsed('stats', options, SCANNING));
  const { found, progress } = walk(store, { ...scanning, where: [], isWhole: true });
  return {
    estimate: () => estimateOf(store, scanning.unitsPerSecond),
    progress,
    async result() {
      const now = Date.now();
      const groups = new Map<string, Counted>();
      const parts = { items: 0, bytes: 0 };
      for await (const one of found()) {
        if (one.kind === 'record') count(groups, one, now);
        if (one.kind !== 'part') continue;
        parts.items++;
        parts.bytes += one.bytes ?? 0;
      }
      return { groups: [...groups.values()].sort(inOrder), parts };
    },
  };
}

type Counted = { -readonly [Name in keyof Group]: Name extends 'ages' ? Record<Age, number> : Group[Name] };

function count(
  groups: Map<string, Counted>,
  { id, record, bytes = 0 }: Extract<Found, { kind: 'record' }>,
  now: number,
) {
  const [scope, state] = [scopeOf(id), stateOf(record, now)];
  const name = `${scope}#${state}`;
  const group = groups.get(name) ?? none(scope, state);
  groups.set(name, group);
  group.records++;
  group.bytes += bytes;
  group.largestBytes = Math.max(group.largestBytes, bytes);
  group.oldest = Math.min(group.oldest, record.claimedAt);
  const [age] = AGES.find(([, ms]) => now - record.claimedAt < ms) ?? ['older'];
  group.ages[age as Age]++;
}

function none(scope: string, state: State): Counted {
  const ages = Object.fromEntries(AGES.map(([age]) => [age, 0])) as Record<Age, number>;
  return { scope, state, records: 0, bytes: 0, largestBytes: 0, ages, oldest: Number.POSITIVE_INFINITY };
}

function inOrder(a: Group, b: Group): number {
  return a.scope === b.scope ? b.records - a.records : a.scope < b.scope ? -1 : 1;
}
