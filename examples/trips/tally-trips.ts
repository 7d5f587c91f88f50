import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import type { TripEvent } from './trip-event.ts';

/**
 * Keeps the completed trips and their fares of each city, from the stream of the trips' table. A sum is what suffers from every
 * repetition: each change of a trip is added once, by the id of its stream record.
 */
export const handler = idempotentBatch<DynamoDBRecord>(
  async ({ dynamodb: { NewImage, OldImage } = {} }, { idempotency }) => {
    const [now, before] = [tripIn(NewImage), tripIn(OldImage)];
    const city = (now ?? before)?.city;
    const trips = Number(now !== undefined) - Number(before !== undefined);
    const fares = (now?.fare ?? 0) - (before?.fare ?? 0);
    if (trips === 0 && fares === 0) return;
    await idempotency.commit({ city, trips, fares }, [
      {
        Update: {
          TableName: process.env['TOTALS_TABLE'],
          Key: { city },
          UpdateExpression: 'ADD trips :trips, fares :fares',
          ExpressionAttributeValues: { ':trips': trips, ':fares': fares },
        },
      },
    ]);
  },
  { store: dynamoDBStore() },
);

/** The trip of an image, if it is completed. */
function tripIn(image: object | undefined): TripEvent | undefined {
  const trip = image && unmarshall(image as Record<string, AttributeValue>);
  return trip?.['status'] === 'completed' ? (trip as TripEvent) : undefined;
}
