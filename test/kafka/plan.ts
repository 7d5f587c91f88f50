import { createHash } from 'node:crypto';
import type { TripEvent } from '../../examples/trips/trip-event.ts';
import { type Random, randomOf } from '../chaos/random.ts';

/** All that chance decides, decided before the run; only the wall clock is not in it. */
export interface Plan {
  readonly seed: number;
  readonly events: readonly TripEvent[];
  /** What producers send, in this order. */
  readonly messages: readonly PlannedMessage[];
  readonly kills: readonly Kill[];
  /** For each kill, and each partition: how many messages before its checkpoint the next consumer begins. */
  readonly rewinds: readonly (readonly number[])[];
  /** Events whose requests DynamoDB refuses for a while. */
  readonly throttled: readonly TripEvent[];
}

export interface PlannedMessage {
  readonly partition: number;
  readonly key: string;
  /** Of a tombstone none. */
  readonly value: string | undefined;
  readonly kind: 'event' | 'duplicate' | 'duplicate elsewhere' | 'no event';
}

/** The consumer dies when so many commits were asked for. */
export interface Kill {
  readonly commit: number;
  /** The commit never arrives; it is applied, and nobody hears of it; a batch is done, and its offset is not committed. */
  readonly moment: 'before a commit' | 'after a commit' | 'before a checkpoint';
}

export const PARTITIONS = 4;
const TRIPS = 200;
const EVENTS = 2_000;
const DUPLICATES = 500;
const NO_EVENTS = 12;
const THROTTLED = 15;
const CITIES = ['Amsterdam', 'Berlin', 'Chicago', 'Delhi', 'Enugu'];
/** The commits that the events lead to at least, and after which nothing is planned. */
const FEWEST_COMMITS = 1_900;
/** By then some batches are done, so that there is something to read again. */
const FIRST_KILL = 400;
const MOMENTS: readonly Kill['moment'][] = [
  ...Array(4).fill('before a commit'),
  ...Array(4).fill('after a commit'),
  ...Array(2).fill('before a checkpoint'),
];
const LONGEST_REWIND = 60;

export function planOf(seed: number): Plan {
  const random = randomOf(seed);
  const events = eventsOf(seed, random);
  const moments = shuffled(MOMENTS, random);
  const kills = random.places(moments.length, FIRST_KILL, FEWEST_COMMITS).map((commit, index) => ({
    commit,
    moment: moments[index] ?? 'before a commit',
  }));
  const rewinds = kills.map((_, index) =>
    // Once to the very beginning, as after a reset.
    Array.from({ length: PARTITIONS }, (_, partition) =>
      index === 5 && partition === 0 ? Number.POSITIVE_INFINITY : random.whole(1, LONGEST_REWIND),
    ),
  );
  const throttled = random.places(THROTTLED, 0, events.length - 1).flatMap((place) => events[place] ?? []);
  return { seed, events, messages: messagesOf(events, random), kills, rewinds, throttled };
}

function eventsOf(seed: number, random: Random): TripEvent[] {
  const versions = new Map(Array.from({ length: TRIPS }, (_, trip) => [trip, 2]));
  for (let left = EVENTS - 2 * TRIPS; left > 0; left--) {
    const trip = random.whole(0, TRIPS - 1);
    versions.set(trip, (versions.get(trip) ?? 0) + 1);
  }
  return [...versions].flatMap(([trip, last]) => {
    const tripId = uuidOf(`${seed}/${trip}`);
    const city = CITIES[random.whole(0, CITIES.length - 1)] ?? '';
    const completed = last - random.whole(-1, 1); // some trips never are, and of some the fare is corrected afterwards
    return Array.from({ length: last }, (_, index): TripEvent => {
      const version = index + 1;
      const status = version === 1 ? 'requested' : version < completed ? 'started' : 'completed';
      return { tripId, version, status, city, fare: version * 100 + random.whole(0, 99) };
    });
  });
}

/** Nearly in order, as producers on several machines send them: neighbours of a trip change places, and what was sent comes again. */
function messagesOf(events: readonly TripEvent[], random: Random): PlannedMessage[] {
  const placed = events.map((event) => {
    const at = startOf(event) + event.version * 200 + random.whole(0, 500);
    return { at, message: messageOf(event, 'event') };
  });
  const again = Array.from({ length: DUPLICATES }, () => {
    const { at, message } = placed[random.whole(0, placed.length - 1)] as (typeof placed)[number];
    // A producer with another partitioner: then both may run at once.
    const isElsewhere = random.chance(0.3);
    const partition = (message.partition + (isElsewhere ? random.whole(1, PARTITIONS - 1) : 0)) % PARTITIONS;
    const kind = isElsewhere ? 'duplicate elsewhere' : 'duplicate';
    return { at: at + random.whole(0, 2_000), message: { ...message, partition, kind } as const };
  });
  const broken = Array.from({ length: NO_EVENTS }, (_, index) => ({
    at: random.whole(0, 10_000),
    message: {
      partition: index % PARTITIONS,
      key: uuidOf(`no event ${index}`),
      value: [undefined, 'no JSON', '{"tripId":"has no version"}'][index % 3],
      kind: 'no event',
    } as const,
  }));
  return [...placed, ...again, ...broken].sort((a, b) => a.at - b.at).map(({ message }) => message);
}

/** The same for all events of a trip. */
function startOf({ tripId }: TripEvent): number {
  return Number.parseInt(tripId.slice(0, 8), 16) % 10_000;
}

function messageOf(event: TripEvent, kind: PlannedMessage['kind']): PlannedMessage {
  const partition = Number.parseInt(event.tripId.slice(0, 8), 16) % PARTITIONS;
  return { partition, key: event.tripId, value: JSON.stringify(event), kind };
}

export function keyOf({ tripId, version }: Pick<TripEvent, 'tripId' | 'version'>): string {
  return `${tripId}:${version}`;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(random.whole(0, rest.length - 1), 1));
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
