import type { KinesisStreamRecord, MSKRecord } from 'aws-lambda';
import { dynamoDBStore, type Execution, idempotentBatch } from 'effectively-once';
import { recordTrip } from './record-trip.ts';
import { setAside } from './set-aside.ts';
import { type TripEvent, tripEventIn } from './trip-event.ts';

/**
 * Consumes trip events from Kinesis and from Kafka, each once: its key is the trip and the version. So a producer may send it twice, a
 * consumer may restart at an old offset, and the event may come over both. If a run dies, its event waits for 2 s, not for as long
 * as the function may run.
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
    lease: '2s',
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
