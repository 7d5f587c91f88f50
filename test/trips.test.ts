import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord, KinesisStreamRecord } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { TripEvent } from '../examples/trips/trip-event.ts';
import { LOCAL } from '../local/dynamodb.ts';
import { dynamoDBStream, kafka, kinesis } from './batches.ts';
import { createTables, type Tables } from './kafka/tables.ts';
import { deliver, done } from './shard.ts';
import { lambdaContext } from './ways.ts';

let tables: Tables;
beforeAll(() => {
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', inject('endpoint'));
  vi.stubEnv('AWS_REGION', LOCAL.region);
  vi.stubEnv('AWS_ACCESS_KEY_ID', LOCAL.credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', LOCAL.credentials.secretAccessKey);
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'trips');
  vi.stubEnv('IDEMPOTENCY_PARTIAL_FAILURES', 'true');
});
beforeEach(async () => {
  vi.resetModules(); // so that the handlers find the tables of their test
  tables = await createTables({ endpoint: inject('endpoint') });
  for (const [name, value] of Object.entries(tables.environment)) vi.stubEnv(name, value);
});
afterAll(() => vi.unstubAllEnvs());

const consumers = () => import('../examples/trips/consume-trips.ts');
const DONE = { batchItemFailures: [] };

function eventOf(version: number, more: Partial<TripEvent> = {}): TripEvent {
  const fare = version * 100;
  return { tripId: 'a5c8', version, status: 'started', city: 'Berlin', fare, ...more };
}
const onKinesis = (...values: unknown[]): KinesisStreamRecord[] =>
  values.map((value, at) => kinesis.record({ at, lane: (value as any)?.tripId, value }));
/** In one partition, where a producer puts what has one key. */
const onKafka = (...values: unknown[]) =>
  kafka.event(values.map((value, at) => kafka.record({ at: 2 * at, lane: (value as any)?.tripId, value })));

describe.each([
  [
    'Kinesis',
    async (...values: unknown[]) => (await consumers()).fromKinesis({ Records: onKinesis(...values) }, lambdaContext()),
  ],
  ['Kafka', async (...values: unknown[]) => (await consumers()).fromKafka(onKafka(...values), lambdaContext())],
] as const)('the consumer of trip events on %s', (_, consume) => {
  it('keeps the newest of a trip, whatever order they come in, and a row of each', async () => {
    expect(await consume(eventOf(2), eventOf(3), eventOf(1))).toEqual(DONE);
    const { trips, ledger } = await tables.read();
    expect(trips).toEqual([eventOf(3)]);
    expect(ledger.map(({ version, outcome, timesWritten }) => [version, outcome, timesWritten]).sort()).toEqual([
      [1, 'stale', 1],
      [2, 'applied', 1],
      [3, 'applied', 1],
    ]);
  });

  it('writes nothing again for an event that a producer sent twice, or that is read again', async () => {
    await consume(eventOf(1), eventOf(1));
    await consume(eventOf(1));
    const { ledger } = await tables.read();
    expect(ledger).toMatchObject([{ version: 1, timesWritten: 1 }]);
  });

  it('sets aside what is no event, once, and goes on behind it', async () => {
    const values = ['no event', { tripId: 'a5c8' }, eventOf(1)];
    expect(await consume(...values)).toEqual(DONE);
    expect(await consume(...values)).toEqual(DONE);
    const { rejected, trips } = await tables.read();
    expect(rejected.map(({ reason }) => String(reason).split(':')[0])).toEqual(Array(2).fill('IdempotencyKeyMissing'));
    expect(trips).toEqual([eventOf(1)]);
  });

  it('sets aside another event under the version of one that was recorded', async () => {
    expect(await consume(eventOf(1), eventOf(1, { fare: 999 }))).toEqual(DONE);
    const { rejected, trips } = await tables.read();
    expect(rejected).toMatchObject([{ reason: expect.stringContaining('IdempotencyMismatch') }]);
    expect(trips).toEqual([eventOf(1)]);
  });
});

it('an event that comes over Kinesis and over Kafka is one', async () => {
  const { fromKinesis, fromKafka } = await consumers();
  vi.stubEnv('IDEMPOTENCY_SCOPE', 'record-trip');
  expect(await fromKinesis({ Records: onKinesis(eventOf(1)) }, lambdaContext())).toEqual(DONE);
  expect(await fromKafka(onKafka(eventOf(1)), lambdaContext())).toEqual(DONE);
  const { ledger, records } = await tables.read();
  expect(ledger).toMatchObject([{ timesWritten: 1 }]);
  expect(records).toHaveLength(1);
});

describe('a shard, from its checkpoint on', () => {
  /** Every second invocation fails after its work, as if its answer were lost. */
  const forgetful = <Event>(handler: (event: Event) => Promise<unknown>) => {
    let invocations = 0;
    return async (event: Event) => {
      const answer = await handler(event);
      if (++invocations % 2 === 1) throw new Error('the answer is lost');
      return answer;
    };
  };

  it('of Kinesis: batches that come again whole write nothing again, and the trips converge', async () => {
    const { fromKinesis } = await consumers();
    const trips = ['t1', 't2', 't3', 't4', 't5'];
    const events = [3, 1, 2, 5, 4, 6].flatMap((version) => trips.map((tripId) => eventOf(version, { tripId })));
    const sizes = await deliver(onKinesis(...events), {
      batchSize: 8,
      most: 20,
      invoke: forgetful((event) => fromKinesis(event, lambdaContext())),
    });
    expect(sizes).toEqual([8, 8, 8, 8, 8, 8, 6, 6]);
    const state = await tables.read();
    expect(state.ledger.map(({ timesWritten }) => timesWritten)).toEqual(Array(30).fill(1));
    expect(new Set(state.trips.map(({ version }) => version))).toEqual(new Set([6]));
  });

  it('of a table: each change is in the totals once', async () => {
    const { handler } = await import('../examples/trips/tally-trips.ts');
    const changes: [TripEvent | undefined, TripEvent][] = [
      [undefined, eventOf(1, { tripId: 't1' })],
      [eventOf(1, { tripId: 't1' }), eventOf(2, { tripId: 't1', status: 'completed' })],
      [undefined, eventOf(4, { tripId: 't2', status: 'completed' })],
      // Its fare was corrected.
      [eventOf(2, { tripId: 't1', status: 'completed' }), eventOf(5, { tripId: 't1', status: 'completed' })],
    ];
    await deliver(changes.map(changeOf), {
      batchSize: 2,
      most: 10,
      invoke: forgetful((event) => handler(event, lambdaContext())),
    });
    expect((await tables.read()).totals).toEqual([{ city: 'Berlin', trips: 2, fares: 900 }]);
  });
});

function changeOf([before, now]: readonly [TripEvent | undefined, TripEvent], at: number): DynamoDBRecord {
  const record = dynamoDBStream.record({ at, lane: now.tripId });
  const image = (trip: TripEvent | undefined) => trip && marshall(trip);
  return { ...record, dynamodb: { ...record.dynamodb, NewImage: image(now), OldImage: image(before) } };
}

describe('what is done of a batch, as Lambda has it', () => {
  const batch = onKinesis('a', 'b', 'c');
  const named = (...identifiers: unknown[]) => ({
    batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })),
  });
  it.each([
    ['null', null, 3],
    ['no failures', named(), 3],
    ['the second', named(batch[1]?.kinesis.sequenceNumber), 1],
    ['the third and the second', named(batch[2]?.kinesis.sequenceNumber, batch[1]?.kinesis.sequenceNumber), 1],
    ['one that is not in it', named(batch[2]?.kinesis.sequenceNumber, '7'), 0],
    ['none by name', { batchItemFailures: [{}] }, 0],
    ['failures that are no list', { batchItemFailures: 'all' }, 0],
  ])('after an answer with %s', (_, answer, expected) => {
    expect(done(batch, answer)).toBe(expected);
  });
});
