import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import type { TripEvent } from '../../examples/trips/trip-event.ts';
import type { Job } from './handlers/job.ts';
import { effectsOf, output, put, tables } from './world.ts';

const PATIENCE = { timeout: 60_000, interval: 250 };

describe('a batch of Kinesis', () => {
  it.each([
    { kind: 'throw', at: 'effect', requests: 2, others: [1] },
    // It may take others with it, between their effect and its record: they ask again, with the same key.
    { kind: 'exit', at: 'step', requests: 1, others: [1, 2] },
  ] as const)(
    'in which one fails by $kind at its $at comes again whole, and each record has one effect',
    async (row) => {
      const { requests, others, ...fault } = row;
      const jobs: Job[] = [{ orderId: randomUUID() }, { orderId: randomUUID(), fault }, { orderId: randomUUID() }];
      await put(
        output('Faulty', 'StreamName'),
        jobs.map((data) => ({ partitionKey: data.orderId, data })),
      );
      const effects = async () =>
        Promise.all(jobs.map(async ({ orderId }) => (await effectsOf('Faulty', orderId)).length));
      await expect.poll(effects, PATIENCE).toEqual([1, 1, 1]);
      // What came behind it in the shard is done when all of it is.
      const last: Job = { orderId: randomUUID() };
      await put(output('Faulty', 'StreamName'), [{ partitionKey: last.orderId, data: last }]);
      await expect.poll(async () => (await effectsOf('Faulty', last.orderId)).length, PATIENCE).toBe(1);
      for (const { orderId, fault } of jobs) {
        const [effect, ...more] = await effectsOf('Faulty', orderId);
        expect(more).toEqual([]);
        expect(fault ? [requests] : others).toContain(effect?.['requests']);
      }
    },
  );
});

describe('trip events on Kinesis', () => {
  it('are recorded once each, the newest wins, and the totals from the stream of the table agree', async () => {
    const trips = Array.from({ length: 10 }, () => randomUUID());
    const events = [2, 1, 4, 3, 5].flatMap((version) => trips.map((tripId) => eventOf(tripId, version)));
    const sent = [...events, ...events.filter((_, index) => index % 3 === 0)];
    await put(
      output('Trips', 'StreamName'),
      sent.map((data) => ({ partitionKey: data.tripId, data })),
    );
    await expect.poll(async () => (await read('Ledger')).length, PATIENCE).toBe(events.length);
    const fares = 10 * 500;
    await expect.poll(() => read('Totals'), PATIENCE).toEqual([{ city: 'Berlin', trips: 10, fares }]);
    expect((await read('Ledger')).filter(({ timesWritten }) => timesWritten !== 1)).toEqual([]);
    expect((await read('Trips')).map(({ tripId, version }) => [tripId, version]).sort()).toEqual(
      trips.map((tripId) => [tripId, 5]).sort(),
    );
    expect(await read('Rejected')).toEqual([]);
  });
});

function eventOf(tripId: string, version: number): TripEvent {
  return { tripId, version, status: version > 3 ? 'completed' : 'started', city: 'Berlin', fare: version * 100 };
}

async function read(table: 'Trips' | 'Ledger' | 'Rejected' | 'Totals'): Promise<Record<string, any>[]> {
  const TableName = output('Trips', `${table}TableName`);
  return (await tables.send(new ScanCommand({ TableName, ConsistentRead: true }))).Items ?? [];
}
