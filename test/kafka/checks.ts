import { isDeepStrictEqual } from 'node:util';
import type { TripEvent } from '../../examples/trips/trip-event.ts';
import { recordId } from '../../src/core/identity.ts';
import type { Checks } from '../chaos/verdict.ts';
import { type Kill, keyOf, type Plan, type PlannedMessage } from './plan.ts';
import type { Delivery } from './poller.ts';
import { SCOPE } from './saboteur.ts';
import type { State } from './tables.ts';
import type { Rewound } from './topic.ts';

/** All that is known of a run when it is over. */
export interface Evidence {
  readonly plan: Plan;
  readonly state: State;
  readonly kills: readonly Kill[];
  readonly restarts: readonly Rewound[];
  /** What consumers told of before they died. */
  readonly deliveries: readonly Delivery[];
  /** What consumers wrote that ended by themselves. */
  readonly failures: readonly string[];
  /** Requests that were throttled, by the key of their event. */
  readonly throttled: ReadonlyMap<string, number>;
  /** How many messages are in the topic. */
  readonly sent: number;
  /** Whether the group had come to the end of the topic in time. */
  readonly isConsumed: boolean;
}

export const CHECKS: Checks<Evidence> = {
  'every trip is what its newest event says, and there is no other': ({ plan, state }) =>
    deviations(
      newestOf(plan.events),
      state.trips,
      ({ tripId }) => tripId,
      (item) => item,
    ),

  'every event has one row in the ledger, written once, and there is no other': ({ plan, state }) => [
    ...deviations(plan.events, state.ledger, keyOf, ({ event }) => event),
    ...state.ledger
      .filter(({ timesWritten }) => timesWritten !== 1)
      .map((row) => `the row of ${keyOf(row as TripEvent)} was written ${row['timesWritten']} times`),
  ],

  'the newest event of every trip was applied': ({ plan, state }) => {
    const applied = new Set(
      state.ledger.filter(({ outcome }) => outcome === 'applied').map((row) => keyOf(row as TripEvent)),
    );
    return newestOf(plan.events)
      .filter((event) => !applied.has(keyOf(event)))
      .map((event) => `${keyOf(event)} was not applied, though no other is newer`);
  },

  'every event has one record, completed, and there is no other': ({ plan, state }) => {
    const expected = plan.events.map((event) => recordId(SCOPE, [], undefined, keyOf(event)));
    const found = state.records.map(({ id, status }) => ({ id, status }));
    const completed = expected.map((id) => ({ id, status: 'COMPLETED' }));
    return deviations(
      completed,
      found,
      ({ id }) => id,
      (item) => item,
    );
  },

  'every message that is no event was set aside once, and nothing else': ({ plan, state }) => {
    const data = ({ data }: { readonly data: unknown }) => `${data}`;
    const expected = plan.messages
      .filter(({ kind }) => kind === 'no event')
      .map(dataOf)
      .map(data);
    const found = state.rejected.map((item) => data(item as { data: unknown }));
    return isDeepStrictEqual(expected.sort(), found.sort())
      ? []
      : [`${found.join(', ')} were set aside, not ${expected.join(', ')}`];
  },

  'the topic has just the messages of the plan': ({ plan, sent }) =>
    sent === plan.messages.length ? [] : [`there are ${sent} messages, not ${plan.messages.length}`],

  'every kill of the plan happened': ({ plan, kills }) =>
    plan.kills
      .filter((kill) => !kills.includes(kill))
      .map(({ commit, moment }) => `no kill ${moment} from ${commit} on`),

  'after every kill a consumer began at offsets that were committed long before': ({ plan, restarts }) =>
    plan.kills.flatMap((_, index) =>
      readAgain(restarts.slice(0, index + 1)) > 0 && restarts[index]
        ? []
        : [`restart ${index + 1} reads nothing again`],
    ),

  'every throttled event was throttled': ({ plan, throttled }) =>
    plan.throttled.filter((event) => !throttled.get(keyOf(event))).map((event) => `${keyOf(event)} was not throttled`),

  'some records failed alone, and came again alone': ({ deliveries }) =>
    deliveries.some(({ failed, records }) => failed > 0 && failed < records) ? [] : ['no delivery was done in part'],

  'some events were stale': ({ state }) =>
    state.ledger.some(({ outcome }) => outcome === 'stale') ? [] : ['every event was applied: none was out of order'],

  'no consumer ended but by a kill': ({ failures }) => [...failures],

  'all was consumed in time': ({ isConsumed }) => (isConsumed ? [] : ['there were messages left']),
};

/** How many messages the last of these restarts reads though a consumer before it was done with them. */
export function readAgain(restarts: readonly Rewound[]): number {
  const { to = [] } = restarts.at(-1) ?? {};
  const behind = to.map((offset, partition) => Math.max(...restarts.map(({ from }) => from[partition] ?? 0)) - offset);
  return behind.reduce((total, messages) => total + messages, 0);
}

function newestOf(events: readonly TripEvent[]): TripEvent[] {
  const trips = Map.groupBy(events, ({ tripId }) => tripId);
  return Array.from(trips.values(), (mine) => mine.reduce((a, b) => (a.version > b.version ? a : b)));
}

/** The value of a message as a record has it. */
function dataOf({ value }: PlannedMessage): { readonly data: string | null } {
  return { data: value === undefined ? null : Buffer.from(value).toString('base64') };
}

/** Where what was found is not what was expected, one for one. */
function deviations<T extends object>(
  expected: readonly T[],
  found: readonly Record<string, any>[],
  nameOf: (item: T) => string,
  contentOf: (item: Record<string, any>) => unknown,
): string[] {
  const wanted = new Map(expected.map((item) => [nameOf(item), item]));
  const had = Map.groupBy(found, (item) => nameOf(item as T));
  return [...new Set([...wanted.keys(), ...had.keys()])].flatMap((name) => {
    const want = wanted.get(name);
    const items = had.get(name) ?? [];
    if (!want || items.length !== 1) return [`${name} is there ${items.length} times, not ${want ? 1 : 0}`];
    const content = contentOf(items[0] ?? {});
    return isDeepStrictEqual(content, want)
      ? []
      : [`${name} is ${JSON.stringify(content)}, not ${JSON.stringify(want)}`];
  });
}
