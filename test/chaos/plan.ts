import type { Fault } from '../../local/fault-proxy.ts';
import { type Random, randomOf } from './random.ts';
import type { FunctionName, Kind } from './requests.ts';

/** All that chance decides, decided before the run; only the wall clock is not in it. */
export interface Plan {
  readonly seed: number;
  readonly orders: readonly PlannedOrder[];
  /** What the n-th request of a kind meets; the first is 1. */
  readonly faults: ReadonlyMap<Kind, ReadonlyMap<number, Fault>>;
  readonly kills: readonly Kill[];
}

export interface PlannedOrder {
  /** Its idempotency key, and its id. */
  readonly key: string;
  /** In cents. */
  readonly amount: number;
  readonly sends: readonly PlannedSend[];
  /** Once it is placed, it is sent to the queue so many ms later, again. */
  readonly duplicates: readonly number[];
}

interface PlannedSend {
  readonly afterMs: number;
  /** The client gives up so many ms later. */
  readonly abortAfterMs?: number;
}

/** A worker dies at its request of this kind, from this invocation of its function on. */
export interface Kill {
  readonly of: FunctionName;
  readonly invocation: number;
  readonly at: Kind;
  /** `before`: the request never arrives. `after`: it is applied, and nobody hears of it. */
  readonly moment: 'before' | 'after';
}

const ORDERS = 500;

/** Fewest requests of each kind, and invocations of each function, that the orders lead to; nothing is planned behind them. */
const FEWEST: Readonly<Record<Kind | FunctionName, number>> = {
  'claim of an order': 450,
  commit: 450,
  'sending of an outbox': 45,
  'claim of a charge': 450,
  charge: 450,
  'record of a charge': 450,
  'record of an outcome': 450,
  'place-order': 450,
  'relay-orders': 40,
  'charge-order': 45,
};

type Faults = Readonly<Partial<Record<'delay' | 'stall' | Exclude<Fault, number>, number>>>;

/** `delay` is shorter than what the functions wait for, `stall` longer. */
const FAULTS: Readonly<Record<Kind, Faults>> = {
  'claim of an order': { delay: 12, stall: 2, lose: 10, throttle: 12, mute: 2, hold: 2 },
  commit: { delay: 12, stall: 2, lose: 12, throttle: 12, mute: 4, hold: 2 },
  'sending of an outbox': { delay: 3, lose: 4, throttle: 3, mute: 1 },
  'claim of a charge': { delay: 12, stall: 2, lose: 10, throttle: 12, mute: 2, hold: 1 },
  charge: { delay: 12, stall: 2, lose: 14, throttle: 12, mute: 2, hold: 1 },
  'record of a charge': { delay: 12, stall: 2, lose: 12, throttle: 12, mute: 4, hold: 2 },
  'record of an outcome': { delay: 12, stall: 2, lose: 12, throttle: 12, mute: 4, hold: 2 },
};

const MOMENTS: readonly (Pick<Kill, 'of' | 'at' | 'moment'> & { readonly times: number })[] = [
  { of: 'place-order', at: 'claim of an order', moment: 'before', times: 3 },
  { of: 'place-order', at: 'claim of an order', moment: 'after', times: 5 },
  { of: 'place-order', at: 'commit', moment: 'before', times: 5 },
  { of: 'place-order', at: 'commit', moment: 'after', times: 7 },
  { of: 'relay-orders', at: 'sending of an outbox', moment: 'before', times: 2 },
  { of: 'relay-orders', at: 'sending of an outbox', moment: 'after', times: 2 },
  { of: 'charge-order', at: 'claim of a charge', moment: 'after', times: 1 },
  { of: 'charge-order', at: 'charge', moment: 'before', times: 2 },
  { of: 'charge-order', at: 'charge', moment: 'after', times: 5 },
  { of: 'charge-order', at: 'record of a charge', moment: 'after', times: 2 },
  { of: 'charge-order', at: 'record of an outcome', moment: 'before', times: 1 },
  { of: 'charge-order', at: 'record of an outcome', moment: 'after', times: 1 },
];

export function planOf(seed: number): Plan {
  const random = randomOf(seed);
  const orders = Array.from({ length: ORDERS }, (_, index) => order(`order-${seed}-${index + 1}`, random));
  const faults = Object.entries(FAULTS).map(([kind, counts]) => faultsOf(kind as Kind, counts, random));
  const kills = MOMENTS.flatMap(({ times, ...kill }) =>
    random.places(times, 2, FEWEST[kill.of]).map((invocation) => ({ ...kill, invocation })),
  );
  return { seed, orders, faults: new Map(faults), kills: kills.sort((a, b) => a.invocation - b.invocation) };
}

function order(key: string, random: Random): PlannedOrder {
  const sends = Array.from({ length: random.whole(1, 4) }, (_, index) => ({
    afterMs: index === 0 ? 0 : random.whole(0, 300),
    ...(random.chance(0.2) && { abortAfterMs: random.whole(1, 150) }),
  }));
  const duplicates = random.chance(0.3) ? Array.from({ length: random.whole(1, 2) }, () => random.whole(0, 2_000)) : [];
  return { key, amount: random.whole(100, 100_000), sends, duplicates };
}

function faultsOf(kind: Kind, counts: Faults, random: Random): [Kind, ReadonlyMap<number, Fault>] {
  const all = Object.entries(counts).flatMap(([fault, count]) => Array.from({ length: count }, () => fault));
  const places = random.places(all.length, 1, FEWEST[kind]);
  const planned = new Map<number, Fault>();
  for (const place of places) {
    const [fault = 'delay'] = all.splice(random.whole(0, all.length - 1), 1);
    planned.set(place, lasting(fault, random));
  }
  return [kind, planned];
}

function lasting(fault: string, random: Random): Fault {
  if (fault === 'delay') return random.whole(50, 900);
  return fault === 'stall' ? random.whole(3_500, 6_500) : (fault as Fault);
}
