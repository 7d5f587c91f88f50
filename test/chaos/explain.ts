import { type Entry, isApplied, type Log } from './log.ts';

/** A charge that was asked for, and arrived, once more. */
export interface Repeat {
  readonly order: string;
  readonly first: Entry;
  readonly again: Entry;
  /** `undefined`: nothing in the log explains it. */
  readonly cause: string | undefined;
}

/** Every request of a charge behind the first of its order, and what made it necessary. */
export function repeatsIn(log: Log): Repeat[] {
  // As they were asked for: one that was delayed may arrive when its worker is long dead and another has charged.
  const charges = log.entries
    .filter((entry) => entry.kind === 'charge' && isApplied(entry))
    .sort((a, b) => a.at - b.at);
  const byOrder = Map.groupBy(charges, ({ orders: [order = ''] }) => order);
  return [...byOrder].flatMap(([order, requests]) =>
    requests.slice(1).map((again, index) => {
      const first = requests[index] as Entry;
      return { order, first, again, cause: causeOf(log, order, first, again) };
    }),
  );
}

function causeOf({ entries, kills }: Log, order: string, first: Entry, again: Entry): string | undefined {
  const mine = entries.filter(({ of, orders }) => of === 'charge-order' && orders.includes(order));
  const claim = claimOf(mine, first);
  const next = claimOf(mine, again);
  // What is on record is never asked for again, whatever happened.
  if (mine.some((entry) => entry.kind === 'record of a charge' && isApplied(entry) && isBefore(entry, next))) return;
  const isOfFirst = ({ invocation, at }: { invocation: string; at: number }): boolean =>
    invocation === first.invocation && at >= first.at && at <= again.at;
  if (kills.some(isOfFirst)) return 'its worker was killed';
  if (first.fault !== undefined) return 'its answer was lost or late';
  if (mine.some((entry) => entry.fault !== undefined && isOfFirst(entry))) return 'its record was lost or late';
  const isTakeover = claim && next && (next.attempt ?? 0) > (claim.attempt ?? 0);
  if (isTakeover && next.at >= (claim.leaseUntil ?? Number.POSITIVE_INFINITY)) return 'its lease was outlived';
  return undefined;
}

/** The claim under which a charge was asked for. */
function claimOf(mine: readonly Entry[], charge: Entry): Entry | undefined {
  return mine.findLast(
    (entry) =>
      entry.kind === 'claim of a charge' &&
      isApplied(entry) &&
      entry.invocation === charge.invocation &&
      entry.at <= charge.at,
  );
}

function isBefore(entry: Entry, next: Entry | undefined): boolean {
  return (entry.answered?.at ?? 0) < (next?.at ?? 0);
}

/** What kept an order's message from being done with; `undefined`: nothing in the log did. */
export function hindranceOf({ entries, kills }: Log, order: string): string | undefined {
  const mine = entries.filter(({ of, orders }) => of === 'charge-order' && orders.includes(order));
  const invocations = new Set(mine.map(({ invocation }) => invocation));
  if (kills.some(({ invocation }) => invocations.has(invocation))) return 'a worker was killed over it';
  if (mine.some(({ fault }) => fault !== undefined)) return 'what it asked for met faults';
  const claims = mine.filter(({ kind }) => kind === 'claim of a charge');
  if (claims.some(({ attempt = 1 }) => attempt > 1)) return 'a lease over it was outlived';
  if (!claims.every(isApplied)) return 'it was in flight elsewhere';
  return undefined;
}
