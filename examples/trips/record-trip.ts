import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { Execution } from 'effectively-once';
import type { TripEvent } from './trip-event.ts';

/**
 * Writes the event's row into the ledger and, if no newer event came before it, the trip: both together, or neither. Events
 * of a trip may come in any order, and the newest wins.
 */
export async function recordTrip(event: TripEvent, { commit }: Pick<Execution, 'commit'>): Promise<void> {
  const { tripId, version } = event;
  const row = (outcome: string) => ({
    Update: {
      TableName: process.env['LEDGER_TABLE'],
      Key: { tripId, version },
      // A sum, not a value: a row that were written twice would show it.
      UpdateExpression: 'SET event = :event, outcome = :outcome ADD timesWritten :one',
      ExpressionAttributeValues: { ':event': event, ':outcome': outcome, ':one': 1 },
    },
  });
  const trip = {
    Put: {
      TableName: process.env['TRIPS_TABLE'],
      Item: event,
      ConditionExpression: 'attribute_not_exists(tripId) OR version < :version',
      ExpressionAttributeValues: { ':version': version },
    },
  };
  try {
    await commit('applied', [row('applied'), trip]);
  } catch (error) {
    if (!isStale(error)) throw error;
    await commit('stale', [row('stale')]);
  }
}

/** Whether the condition failed, the only one that there is. */
function isStale(error: unknown): boolean {
  const reasons = error instanceof TransactionCanceledException ? error.CancellationReasons : undefined;
  return reasons?.some(({ Code }) => Code === 'ConditionalCheckFailed') ?? false;
}
