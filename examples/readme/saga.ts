import type { SQSRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch, TerminalError } from 'effectively-once';
import { trips } from './trips.ts';

export const handler = idempotentBatch(
  async (record: SQSRecord, { idempotency: { step } }) => {
    const { tripId } = JSON.parse(record.body);
    const flight = await step('book-flight', ({ key }) => trips.bookFlight(tripId, key));
    const hotel = await step('book-hotel', ({ key }) => trips.bookHotel(tripId, key)); // undefined: it is full
    if (hotel) return { flight, hotel };
    await step('cancel-flight', ({ key }) => trips.cancelFlight(flight, key));
    throw new TerminalError('no room: the flight is cancelled'); // on record: a redelivery books nothing
  },
  {
    store: dynamoDBStore(),
    key: (record) => JSON.parse(record.body).tripId,
    onTerminal: async (_record, error, { key }) => console.warn(`trip ${key}: ${error}`),
  },
);
