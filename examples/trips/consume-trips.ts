import type { KinesisStreamRecord, MSKRecord } from 'aws-lambda';
import { dynamoDBStore, type Execution, idempotentBatch } from 'effectively-once';
import { recordTrip } from './record-trip.ts';
import { setAside } from './set-aside.ts';
import { type TripEvent, tripEventIn } from './trip-event.ts';

/**
 * Consumes trip events, from Kinesis and from Kafka: each once, by its trip and version, however often a producer sent it,
 * a consumer that restarts at an old offset reads it, and over whichever of the two it came. A run that dies holds its event for
 * 5 s, and not for as long as the function may run.
 */
export const fromKinesis = idempotentBatch<KinesisStreamRecord>(
  ({ kinesis }, { idempotency }) => recordData(kinesis.data, idempotency),
  {
    ...optionsFor(({ kinesis }) => kinesis.data),
    onTerminal: ({ eventID, kinesis }, error) => setAside(eventID, kinesis.data, error),
  },
);

export const fromKafka = idempotentBatch<MSKRecord>(({ value }, { idempotency }) => recordData(value, idempotency), {
  ...optionsFor(({ value }) => value),
  onTerminal: ({ topic, partition, offset, value }, error) => setAside(`${topic}-${partition}-${offset}`, value, error),
});

function optionsFor<Record>(dataOf: (record: Record) => string | null | undefined) {
  return {
    store: dynamoDBStore(),
    lease: '5s',
    key: (record: Record) => keyOf(tripEventIn(dataOf(record))),
    // The event alone, not where it came from: a duplicate may come over the other stream.
    fingerprint: (record: Record) => tripEventIn(dataOf(record)),
  } as const;
}

function keyOf(event: TripEvent | undefined): string | undefined {
  return event && `${event.tripId}:${event.version}`;
}

/** What is no event has no key, and never comes here. */
async function recordData(data: string, execution: Execution): Promise<void> {
  await recordTrip(tripEventIn(data) as TripEvent, execution);
}
