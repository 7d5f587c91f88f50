import { randomOf } from '../random.ts';
import { ASSUMED, type Scenario } from './parameters.ts';
import { type Refusal, type Table, tableOf } from './table.ts';

/** How a caller ends: with an outcome, refused because of a conflict, or because of throttling. */
export type End = 'ran' | 'replayed' | 'cached' | 'refused' | 'throttled out';

/** A function's process: what it has seen, and the group of writes that leaves next. */
export interface Process {
  readonly seen: Set<number>;
  busyUntil: number;
  group?: Group;
}

interface Group {
  readonly leaves: number;
  size: number;
  hasRead: boolean;
}

/** What happens in a simulation. Times in ms. */
export interface World {
  now: number;
  readonly scenario: Scenario;
  /** Of the load and of all capacity, the part that is simulated. */
  readonly scale: number;
  /** Callers a second that are simulated. */
  readonly rate: number;
  readonly random: () => number;
  readonly table: Table;
  readonly partitions: number;
  /** By key: whether it is completed. */
  readonly records: Map<number, boolean>;
  readonly completed: number[];
  readonly processes: readonly Process[];
  readonly tally: Tally;
}

interface Tally {
  arrived: number;
  requests: number;
  tries: number;
  /** Units. */
  written: number;
  read: number;
  /** Those of `written` in the seconds that are counted. */
  counted: number;
  /** Outcomes that never came on record. */
  unsure: number;
  readonly refusals: Record<Refusal, number>;
  readonly ends: Record<End, number>;
  /** Ms that answered callers waited longer than on an idle table. */
  readonly added: number[];
}

/** Callers a second that are simulated at most: of more, and of what they share, a part. */
const MOST = { new: 400, one: 1_200, skewed: 1_500 } as const;

/** Partitions that stand for all, if all are alike; those of storms; and those of the hottest keys. */
const SAMPLED = { new: 4, one: ASSUMED.storms, skewed: 20 } as const;

export function worldOf(scenario: Scenario): World {
  const { rate, keys, serves, quota = Number.MAX_SAFE_INTEGER, provisioned } = scenario;
  const [, handler] = handlerOf(scenario);
  const all = Math.ceil(serves / ASSUMED.partition);
  const partitions = keys === 'new' ? Math.min(all, SAMPLED.new) : SAMPLED[keys];
  const sampled = { new: partitions / all, one: partitions, skewed: 1 }[keys];
  const thinned = Math.min(1, MOST[keys] / (rate * sampled));
  const random = randomOf(1);
  const table = tableOf({ partitions, rest: serves, quota: quota * sampled, provisioned }, thinned, random);
  const busy = Math.max(1, Math.round((rate * sampled * thinned * (handler + 2 * ASSUMED.request)) / 1_000));
  return {
    now: 0,
    scenario,
    scale: sampled * thinned,
    rate: rate * sampled * thinned,
    random,
    table,
    partitions,
    records: new Map(),
    completed: [],
    processes: Array.from({ length: busy }, () => ({ seen: new Set<number>(), busyUntil: 0 })),
    tally: {
      arrived: 0,
      requests: 0,
      tries: 0,
      written: 0,
      read: 0,
      counted: 0,
      unsure: 0,
      refusals: { partition: 0, table: 0, quota: 0 },
      ends: { ran: 0, replayed: 0, cached: 0, refused: 0, 'throttled out': 0 },
      added: [],
    },
  };
}

/** The least and the most ms that a handler works. */
export function handlerOf({ handler = ASSUMED.handler }: Scenario): readonly [least: number, most: number] {
  return typeof handler === 'number' ? [handler, handler] : handler;
}

/** When a write of a process leaves: alone at once, or with a group that is still gathered. */
export function departure({ now, tally, scenario }: World, process: Process): Group {
  const open = process.group;
  if (scenario.group && open && open.leaves >= now && open.size < ASSUMED.group) {
    open.size += 1;
    return open;
  }
  const leaves = scenario.group ? Math.max(now, process.busyUntil) : now;
  tally.requests += 1;
  process.busyUntil = leaves + ASSUMED.request;
  process.group = { leaves, size: 1, hasRead: false };
  return process.group;
}
