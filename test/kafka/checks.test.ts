import { describe, expect, it } from 'vitest';
import type { TripEvent } from '../../examples/trips/trip-event.ts';
import { recordId } from '../../src/core/identity.ts';
import { CHECKS, type Evidence } from './checks.ts';
import { type Kill, keyOf, type PlannedMessage, planOf } from './plan.ts';
import { SCOPE } from './saboteur.ts';

const event = (version: number): TripEvent => ({ tripId: 't', version, status: 'started', city: 'Berlin', fare: 100 });
const NO_EVENT: PlannedMessage = { partition: 0, key: 'k', value: 'no JSON', kind: 'no event' };
const KILL: Kill = { commit: 1, moment: 'after a commit' };

/** A trip with two events, of which the older came last; the consumer was killed once. */
function made(): Evidence {
  const events = [event(1), event(2)];
  const ids = events.map((one) => recordId(SCOPE, [], undefined, keyOf(one)));
  return {
    plan: { seed: 1, events, messages: [NO_EVENT], kills: [KILL], rewinds: [[1]], throttled: [event(1)] },
    state: {
      trips: [event(2)],
      ledger: [
        { tripId: 't', version: 1, event: event(1), outcome: 'stale', timesWritten: 1 },
        { tripId: 't', version: 2, event: event(2), outcome: 'applied', timesWritten: 1 },
      ],
      records: ids.map((id) => ({ id, status: 'COMPLETED' })),
      rejected: [{ place: 'trips-0-0', data: 'bm8gSlNPTg==' }],
      totals: [],
    },
    kills: [KILL],
    restarts: [{ from: [3], to: [2] }],
    deliveries: [{ records: 2, failed: 1, threw: false }],
    failures: [],
    throttled: new Map([['t:1', 2]]),
    sent: 1,
    isConsumed: true,
  };
}

const failing = (evidence: Evidence): string[] =>
  Object.entries(CHECKS).flatMap(([name, check]) => (check(evidence).length > 0 ? [name] : []));

describe('the checks of a Kafka run', () => {
  it('find nothing where all is well', () => {
    expect(failing(made())).toEqual([]);
  });

  const BROKEN: readonly (readonly [name: string, (evidence: any) => unknown])[] = [
    ['every trip is what its newest event says, and there is no other', ({ state }) => state.trips.push(event(2))],
    ['every trip is what its newest event says, and there is no other', ({ state }) => (state.trips[0] = event(1))],
    ['every trip is what its newest event says, and there is no other', ({ state }) => state.trips.pop()],
    [
      'every event has one row in the ledger, written once, and there is no other',
      ({ state }) => (state.ledger[0].timesWritten = 2),
    ],
    ['every event has one row in the ledger, written once, and there is no other', ({ state }) => state.ledger.shift()],
    ['the newest event of every trip was applied', ({ state }) => (state.ledger[1].outcome = 'stale')],
    ['every event has one record, completed, and there is no other', ({ state }) => state.records.pop()],
    [
      'every event has one record, completed, and there is no other',
      ({ state }) => (state.records[0].status = 'IN_PROGRESS'),
    ],
    ['every message that is no event was set aside once, and nothing else', ({ state }) => state.rejected.pop()],
    [
      'every message that is no event was set aside once, and nothing else',
      ({ state }) => state.rejected.push(state.rejected[0]),
    ],
    ['the topic has just the messages of the plan', (evidence) => (evidence.sent = 2)],
    ['every kill of the plan happened', ({ kills }) => kills.pop()],
    [
      'after every kill a consumer began at offsets that were committed long before',
      ({ restarts }) => (restarts[0].to = [3]),
    ],
    ['after every kill a consumer began at offsets that were committed long before', ({ restarts }) => restarts.pop()],
    ['every throttled event was throttled', ({ throttled }) => throttled.clear()],
    ['some records failed alone, and came again alone', ({ deliveries }) => (deliveries[0].failed = 2)],
    ['some events were stale', ({ state }) => (state.ledger[0].outcome = 'applied')],
    ['no consumer ended but by a kill', ({ failures }) => failures.push('a consumer ended by code 1')],
    ['all was consumed in time', (evidence) => (evidence.isConsumed = false)],
  ];

  it.each(BROKEN)('find it if not %s', (name, damage) => {
    const evidence = made();
    damage(evidence);
    expect(failing(evidence)).toContain(name);
  });

  it('are each shown to find something', () => {
    expect(new Set(BROKEN.map(([name]) => name))).toEqual(new Set(Object.keys(CHECKS)));
  });
});

describe('the plan of a Kafka run', () => {
  it('follows from its seed', () => {
    expect(planOf(7)).toEqual(planOf(7));
    expect(planOf(7).messages).not.toEqual(planOf(8).messages);
  });

  it('has 2,000 events of 200 trips, ten kills, duplicates, and events out of order', () => {
    const { events, messages, kills } = planOf(7);
    expect([events.length, new Set(events.map(({ tripId }) => tripId)).size, kills.length]).toEqual([2_000, 200, 10]);
    const sent = messages.filter(({ kind }) => kind === 'event').map(({ value = '' }): TripEvent => JSON.parse(value));
    expect(new Set(sent.map(keyOf))).toEqual(new Set(events.map(keyOf)));
    expect(messages.filter(({ kind }) => kind.startsWith('duplicate')).length).toBeGreaterThan(400);
    const newest = new Map<string, number>();
    const late = sent.filter(({ tripId, version }) => {
      const isLate = version < (newest.get(tripId) ?? 0);
      newest.set(tripId, Math.max(version, newest.get(tripId) ?? 0));
      return isLate;
    });
    expect(late.length).toBeGreaterThan(100);
  });
});
