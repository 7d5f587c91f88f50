import { type BatchOptions, idempotentBatch, memoryStore, type Store, TerminalError } from 'effectively-once';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dynamoDBStream, fifo, kafka, kinesis, SOURCES, type Source, STREAMS } from './batches.ts';
import { lambdaContext } from './ways.ts';

let store: Store;
let ran: unknown[];
let logged: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  store = memoryStore();
  ran = [];
  logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.stubEnv('IDEMPOTENCY_PARTIAL_FAILURES', 'true');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const consumer = (
  source: Source,
  handler: (value: any) => unknown = () => {},
  options: Partial<BatchOptions<any>> = {},
) =>
  idempotentBatch<any>(
    async (record) => {
      const value = source.valueOf(record);
      ran.push(value);
      return handler(value);
    },
    { store, scope: 'test', ...options },
  );
const failing =
  (...bad: unknown[]) =>
  (value: unknown) => {
    if (bad.includes(value)) throw new Error(`no ${value}`);
  };
const declining =
  (...bad: unknown[]) =>
  (value: unknown) => {
    if (bad.includes(value)) throw new TerminalError(`never ${value}`);
  };
const batch = (source: Source, ...said: (readonly [at: number, lane?: string])[]) => {
  const records = said.map(([at, lane]) => source.record({ at, ...(lane !== undefined && { lane }) }));
  return { records, event: source.event(records) };
};
const identifiers = (answer: { batchItemFailures: { itemIdentifier: unknown }[] }) =>
  answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

describe.each(SOURCES)('a batch of $name', (source) => {
  it('is answered with no failures when all is done', async () => {
    const { event } = batch(source, [0, 'a'], [2, 'b']);
    expect(await consumer(source)(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual([0, 2]);
  });

  it('that comes again runs nothing again', async () => {
    const { event } = batch(source, [0], [2]);
    await consumer(source)(event, lambdaContext());
    expect(await consumer(source)(structuredClone(event), lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual([0, 2]);
  });

  it('stops a lane at a failure, and no other', async () => {
    const { event } = batch(source, [0, 'a'], [2, 'b'], [4, 'a'], [6, 'b']);
    await consumer(source, failing(0))(event, lambdaContext());
    expect(ran).toEqual([0, 2, 6]);
  });

  it('keeps its order in the lanes that the option says', async () => {
    const { event } = batch(source, [0, 'a'], [2, 'b'], [4, 'c']);
    const handler = consumer(source, failing(0), {
      lane: (record) => (source.valueOf(record) === 4 ? undefined : 'one'),
    });
    await handler(event, lambdaContext());
    expect(ran).toEqual([0, 4]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['gives an object', () => ({})],
    ['gives a promise', () => Promise.reject(new Error('no'))],
  ])('reports a record whose lane cannot be told, since the option %s', async (_, wrong: any) => {
    const { records, event } = batch(source, [0, 'a'], [2, 'b']);
    const lane = (record: unknown) => (source.valueOf(record) === 2 ? wrong() : 7);
    expect(identifiers(await consumer(source, undefined, { lane })(event, lambdaContext()))).toEqual([
      source.identifier(records[1]),
    ]);
    expect(ran).toEqual([0]);
  });

  it('is refused when one of its records is of another source', async () => {
    const other = (source === fifo ? kinesis : fifo).record({ at: 1 });
    const records = [source.record({ at: 0 }), other];
    const mixed = source === kafka ? { ...kafka.event([]), records: { 'trips-0': records } } : { Records: records };
    await expect(consumer(source)(mixed, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
    expect(ran).toEqual([]);
  });

  it('names every record before a handler can change it', async () => {
    const { records, event } = batch(source, [0]);
    const before = source.identifier(structuredClone(records[0]));
    const handler = idempotentBatch<any>(
      (record) => {
        for (const name of Object.keys(record)) delete record[name];
        throw new Error('no');
      },
      { store, scope: 'test' },
    );
    expect(identifiers(await handler(event, lambdaContext()))).toEqual([before]);
  });

  it('of 10,000 records is answered before the deadline; what was not begun is reported', async () => {
    const said = Array.from({ length: 10_000 }, (_, at) => [2 * at, `${at}`] as const);
    const { event } = batch(source, ...said);
    const context = { ...lambdaContext(), getRemainingTimeInMillis: () => (ran.length < 20 ? 5_000 : 400) };
    const answer = await consumer(source)(event, context);
    expect(ran.length).toBeLessThan(40);
    expect(answer.batchItemFailures.length).toBe(STREAMS.includes(source) ? 1 : 10_000 - ran.length);
    const line = `${10_000 - ran.length} of 10000 records were not begun: no time was left`;
    expect(logged.mock.calls).toEqual([[line]]); // one, not thousands
  });
});

describe.each(STREAMS)('the answer to a batch of $name', (source) => {
  it('is the lowest sequence number that failed, as a number, whatever order they failed in', async () => {
    const { records, event } = batch(source, [20_000, 'z'], [1, 'a'], [3, 'b'], [9_000, 'c']);
    const answer = await consumer(source, failing(20_000, 3, 9_000))(event, lambdaContext());
    expect(identifiers(answer)).toEqual([source.identifier(records[2])]);
  });

  it('brings back what is done, which is not done again', async () => {
    const { records, event } = batch(source, [1, 'a'], [2, 'b'], [3, 'c']);
    await consumer(source, failing(2))(event, lambdaContext());
    const tail = source.event(records.slice(1));
    expect(await consumer(source)(tail, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual([1, 2, 3, 2]);
  });

  it.each([undefined, '', 'x1', 12, '1.5'])('cannot name a record whose sequence number is %j', async (sequence) => {
    const record = source.record({ at: 1 });
    if (source === kinesis) record.kinesis.sequenceNumber = sequence;
    else record.dynamodb.SequenceNumber = sequence;
    const event = source.event([source.record({ at: 0 }), record]);
    await expect(consumer(source)(event, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
    expect(ran).toEqual([]);
  });

  it('is not made for a tumbling window, also without records', async () => {
    for (const records of [[source.record({ at: 1 })], []]) {
      const window = { ...source.event(records), window: { start: 'a', end: 'b' }, state: {} };
      await expect(consumer(source)(window, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
    }
  });
});

describe('the answer to a batch of Kafka', () => {
  it('names partition and offset of every record that is not done', async () => {
    const { records, event } = batch(kafka, [0, 'a'], [1, 'a'], [2, 'a'], [4, 'b'], [3, 'a']);
    const answer = await consumer(kafka, failing(0, 3))(event, lambdaContext());
    expect(identifiers(answer)).toEqual(
      expect.arrayContaining([0, 2, 4].map((index) => kafka.identifier(records[index]))),
    );
    expect(answer.batchItemFailures).toHaveLength(3);
  });

  it.each([undefined, '', 'false', '1'])('is a failure where nobody would hear it: %j', async (heard) => {
    vi.stubEnv('IDEMPOTENCY_PARTIAL_FAILURES', heard);
    const { event } = batch(kafka, [0, 'a'], [2, 'b']);
    await expect(consumer(kafka, failing(2))(event, lambdaContext())).rejects.toThrow('no 2');
    expect(await consumer(kafka)(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual([0, 2, 2]);
  });

  it('is made of the records that Kafka sends, and of no other source', async () => {
    const records = { 'trips-0': [fifo.record({ at: 0 })] };
    for (const event of [
      { ...kafka.event([]), records },
      { ...batch(kafka, [0]).event, Records: [] },
    ]) {
      await expect(consumer(fifo)(event, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
    }
    expect(ran).toEqual([]);
  });

  it.each([-1, 1.5, '7', null, Number.NaN])('cannot name a record whose offset is %j', async (offset) => {
    const { records, event } = batch(kafka, [0], [2]);
    records[1].offset = offset;
    await expect(consumer(kafka)(event, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
    expect(ran).toEqual([]);
  });

  it('cannot name a record that stands under another partition', async () => {
    const event = { ...batch(kafka, [0]).event, records: { 'trips-1': [kafka.record({ at: 0 })] } };
    await expect(consumer(kafka)(event, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
  });
});

describe('the key of a record', () => {
  const keyOf = async (event: any): Promise<string | undefined> => {
    let key: string | undefined;
    const handler = idempotentBatch<any>(
      (_, { idempotency }) => {
        key = idempotency.key;
      },
      { store, scope: 'test' },
    );
    await handler(event, lambdaContext());
    return key;
  };
  const selfManaged = (bootstrapServers: string, record = kafka.record({ at: 0 })) => ({
    eventSource: 'SelfManagedKafka',
    bootstrapServers,
    records: { [`${record.topic}-0`]: [record] },
  });

  it('is the event id of a stream', async () => {
    for (const source of STREAMS) {
      const record = source.record({ at: 1 });
      expect(await keyOf(source.event([record]))).toBe(record.eventID);
    }
  });

  it('is cluster, topic, partition and offset of Kafka', async () => {
    const cluster = 'arn:aws:kafka:eu-central-1:123456789012:cluster/trips/0b1c';
    expect(await keyOf(batch(kafka, [0]).event)).toBe(`${cluster}/trips/0/0`);
  });

  it('is the same whatever the order of its servers, and another for other servers', async () => {
    const key = await keyOf(selfManaged('b:9092,a:9092'));
    expect(key).toBe('a:9092,b:9092/trips/0/0');
    store = memoryStore();
    expect(await keyOf(selfManaged('a:9092, b:9092,a:9092'))).toBe(key);
    expect(await keyOf(selfManaged('c:9092'))).not.toBe(key);
  });

  it('is none where the cluster has no name: two would share their records', async () => {
    const seen = vi.fn();
    const onTerminal = async (_: unknown, error: unknown) => seen(error);
    const handler = idempotentBatch<any>(() => {}, { store, scope: 'test', onTerminal });
    await handler(selfManaged(' , ') as any, lambdaContext());
    expect(seen).toHaveBeenCalledWith(expect.objectContaining({ code: 'KEY_MISSING' }));
  });

  it('is a hash where that would be too long', async () => {
    const record = { ...kafka.record({ at: 0 }), topic: 't'.repeat(249) };
    expect(await keyOf(selfManaged('a:9092', record))).toMatch(/^[\w-]{43}$/);
  });

  it('is a business key, where one is given: a producer that sends again has one effect', async () => {
    for (const source of SOURCES) {
      ran = [];
      store = memoryStore();
      const key = (record: unknown) => `trip-${source.valueOf(record)}`;
      const twice = [source.record({ at: 0, value: 7 }), source.record({ at: 2, value: 7 })];
      expect(await consumer(source, undefined, { key })(source.event(twice), lambdaContext())).toEqual({
        batchItemFailures: [],
      });
      expect(ran).toEqual([7]);
    }
  });
});

describe('the payload of a record', () => {
  const key = { key: () => 'k' };
  const data = (value: string | null | undefined): any[] => [
    { ...kinesis.record({ at: 0 }), kinesis: { ...kinesis.record({ at: 0 }).kinesis, data: value } },
    { ...kafka.record({ at: 0 }), value },
  ];
  const eventOf = (record: any) => (record.topic ? kafka : kinesis).event([record]);
  const handled = (record: any) =>
    idempotentBatch<any>(() => void ran.push(1), { store, scope: 'test', ...key })(eventOf(record), lambdaContext());

  it('that is no base64 is reported, never acknowledged', async () => {
    for (const record of data('not base64!')) {
      expect((await handled(record)).batchItemFailures).toHaveLength(1);
    }
    expect(ran).toEqual([]);
    expect(logged).toHaveBeenCalledWith(expect.any(String), expect.objectContaining({ code: 'PAYLOAD_INVALID' }));
  });

  it.each([null, undefined])('may be a tombstone, which is not a value: %j', async (value) => {
    const [, tombstone] = data(value);
    expect(await handled(tombstone)).toEqual({ batchItemFailures: [] });
    expect((await handled(kafka.record({ at: 0 }))).batchItemFailures).toHaveLength(1);
    expect(logged).toHaveBeenCalledWith(expect.any(String), expect.objectContaining({ code: 'MISMATCH' }));
  });

  it('is not changed by headers, times and what a schema registry adds', async () => {
    const record = kafka.record({ at: 0 });
    await handled(record);
    const again = {
      ...record,
      timestamp: 1,
      headers: [],
      valueSchemaMetadata: { dataFormat: 'JSON', schemaId: '1' },
    };
    expect(await handled(again)).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual([1]);
  });
});

describe('a partition key of Kinesis', () => {
  it('may be a blank', async () => {
    expect(await consumer(kinesis)(batch(kinesis, [0, ' ']).event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual([0]);
  });
});

describe('records of Kafka without a key', () => {
  it('are one lane for each partition', async () => {
    const records = [0, 2, 1, 3].map((at) => ({ ...kafka.record({ at }), key: at > 1 ? null : undefined }));
    await consumer(kafka, failing(0))(kafka.event(records as any), lambdaContext());
    expect(ran).toEqual([0, 1, 3]);
  });
});

describe('a conflict', () => {
  it.each([kinesis, dynamoDBStream, kafka])('is waited for on $name', async (source) => {
    const gate = Promise.withResolvers<void>();
    const { event } = batch(source, [0]);
    const elsewhere = consumer(source, () => gate.promise)(event, lambdaContext());
    await vi.waitFor(() => expect(ran).toEqual([0]));
    const here = consumer(source)(event, lambdaContext());
    gate.resolve();
    expect(await Promise.all([elsewhere, here])).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(ran).toEqual([0]);
  });

  it('is not waited for if the option says so', async () => {
    const gate = Promise.withResolvers<void>();
    const { event } = batch(kinesis, [0]);
    const elsewhere = consumer(kinesis, () => gate.promise)(event, lambdaContext());
    await vi.waitFor(() => expect(ran).toEqual([0]));
    const here = await consumer(kinesis, undefined, { onConflict: 'reject' })(event, lambdaContext());
    expect(here.batchItemFailures).toHaveLength(1);
    gate.resolve();
    await elsewhere;
  });
});

describe('records that wait for another run', () => {
  it.each([kinesis, kafka])('do not hold up those that need not, however many they are: $name', async (source) => {
    const waiting = Array.from({ length: 12 }, (_, at) => source.record({ at: 2 * at, lane: `${at}` }));
    const gate = Promise.withResolvers<void>();
    const elsewhere = consumer(source, () => gate.promise, { concurrency: 12 })(source.event(waiting), lambdaContext());
    await vi.waitFor(() => expect(ran).toHaveLength(12));
    const all = source.event([...waiting, source.record({ at: 100, lane: 'free' })]);
    const here = consumer(source, () => gate.resolve())(all, lambdaContext());
    expect(await Promise.all([elsewhere, here])).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(ran).toHaveLength(13);
  });

  it('are not begun with less time than the slowest has taken', async () => {
    const died = new Promise<never>(() => {});
    const one = batch(kinesis, [0]).event;
    consumer(kinesis, () => died, { lease: '1s', clockSkew: 0 })(one, lambdaContext(1_000));
    await vi.waitFor(() => expect(ran).toEqual([0]));
    const { event } = batch(kinesis, [0], [1, 'b']);
    const slow = () => new Promise((resolve) => setTimeout(resolve, 600));
    const answer = await consumer(kinesis, slow)(event, lambdaContext(1_600));
    expect(ran).toEqual([0, 1]); // the lease ends when there are less than 600 ms left
    expect(answer.batchItemFailures).toHaveLength(1);
  });
});

describe('an event without records', () => {
  it.each([{ Records: [] }, kafka.event([]), { ...kafka.event([]), records: { 'trips-0': [] } }])(
    'is answered with no failures: %j',
    async (event) => {
      expect(await consumer(kinesis)(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    },
  );

  it.each([
    {},
    [],
    undefined,
    null,
    'x',
    { records: {} },
    { eventSource: 'aws:kafka' },
    { eventSource: 'aws:kafka', records: null },
  ])('that is no batch is MISUSE: %j', async (event) => {
    await expect(consumer(kinesis)(event as any, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
  });
});

describe.each(SOURCES)('onTerminal, on $name,', (source) => {
  const told: unknown[] = [];
  const onTerminal: BatchOptions<any>['onTerminal'] = async (record, error, { key }) => {
    told.push([source.valueOf(record), (error as Error).message, key === undefined]);
  };
  beforeEach(() => void told.splice(0));

  it('takes care of a recorded error: its lane goes on, and nothing is reported', async () => {
    const { event } = batch(source, [0], [2]);
    const handler = consumer(source, declining(0), { onTerminal });
    expect(await handler(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect([ran, told]).toEqual([[0, 2], [[0, 'never 0', false]]]);
  });

  it('is called again for a duplicate, which does not run', async () => {
    const { event } = batch(source, [0]);
    const handler = consumer(source, declining(0), { onTerminal });
    await handler(event, lambdaContext());
    expect(await handler(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect([ran, told.length]).toEqual([[0], 2]);
  });

  it.each([
    ['KEY_MISSING', { key: () => undefined }],
    ['KEY_INVALID', { key: () => 'a\nb' }],
    ['PAYLOAD_INVALID', { fingerprint: () => '\ud800' }],
  ])('takes care of %s, which no redelivery can mend', async (_, options) => {
    const { event } = batch(source, [0]);
    expect(await consumer(source, undefined, { ...options, onTerminal })(event, lambdaContext())).toEqual({
      batchItemFailures: [],
    });
    expect([ran, told.length]).toEqual([[], 1]);
  });

  it('takes care of another payload under the same key', async () => {
    const options = { key: () => 'k', onTerminal };
    const { event } = batch(source, [0], [2]);
    expect(await consumer(source, undefined, options)(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect([ran, told.length]).toEqual([[0], 1]);
  });

  it('is not called for what may pass, nor for a refusal that the handler has met elsewhere', async () => {
    const { IdempotencyError } = await import('effectively-once');
    for (const error of [new Error('no'), new IdempotencyError('MISMATCH', 'inner')]) {
      const { event } = batch(source, [0]);
      const handler = consumer(
        source,
        () => {
          throw error;
        },
        { onTerminal },
      );
      expect((await handler(event, lambdaContext())).batchItemFailures).toHaveLength(1);
    }
    expect(told).toEqual([]);
  });

  it('is not called for an error that could not be recorded', async () => {
    const broken: Store = {
      ...store,
      write: async (write) => {
        if (write.kind === 'update') throw new Error('down');
        return store.write(write);
      },
    };
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { event } = batch(source, [0]);
    const handler = consumer(source, declining(0), { onTerminal, store: broken });
    expect((await handler(event, lambdaContext())).batchItemFailures).toHaveLength(1);
    expect(told).toEqual([]);
  });

  it('that never ends does not keep the batch from its answer', async () => {
    const { event } = batch(source, [0], [2]);
    const onTerminal = () => new Promise<void>(() => {});
    const answer = await consumer(source, declining(0), { onTerminal })(event, lambdaContext(1_000));
    expect(answer.batchItemFailures).toHaveLength(STREAMS.includes(source) ? 1 : 2);
  });

  it('is given the record as it came, whatever its handler has done to it', async () => {
    const record = source.record({ at: 0 });
    const before = structuredClone(record);
    const seen = vi.fn(async () => {});
    const handler = idempotentBatch<any>(
      (record) => {
        for (const name of Object.keys(record)) delete record[name];
        throw new TerminalError('never');
      },
      { store, scope: 'test', onTerminal: seen },
    );
    await handler(source.event([record]), lambdaContext());
    expect(seen).toHaveBeenCalledWith(before, expect.anything(), expect.anything());
  });

  it('that fails leaves the record reported, and its lane stopped', async () => {
    const { event } = batch(source, [0], [2]);
    const onTerminal = () => Promise.reject(new Error('queue is down'));
    const answer = await consumer(source, declining(0), { onTerminal })(event, lambdaContext());
    expect(answer.batchItemFailures).toHaveLength(STREAMS.includes(source) ? 1 : 2);
    expect(ran).toEqual([0]);
  });

  it('absent, a recorded error stops its lane as any failure', async () => {
    const { event } = batch(source, [0], [2]);
    const answer = await consumer(source, declining(0))(event, lambdaContext());
    expect(answer.batchItemFailures).toHaveLength(STREAMS.includes(source) ? 1 : 2);
    expect(ran).toEqual([0]);
  });
});
