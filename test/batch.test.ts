import type { SQSRecord } from 'aws-lambda';
import {
  type BatchOptions,
  type Execution,
  idempotentBatch,
  memoryStore,
  type Store,
  TerminalError,
} from 'effectively-once';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lambdaContext, sqsRecord } from './ways.ts';

let store: Store;
let ran: string[];
let logged: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  store = memoryStore();
  ran = [];
  logged = vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

type Handler = (body: string, execution: Execution) => unknown;
const consumer = (handler: Handler = () => {}, options: Partial<BatchOptions<SQSRecord>> = {}) =>
  idempotentBatch(
    async (record, { idempotency }) => {
      ran.push(record.body);
      return handler(record.body, idempotency);
    },
    { store, scope: 'test', ...options },
  );
const byBody = { key: (record: SQSRecord) => JSON.parse(record.body) as string };
const batch = (...bodies: string[]) => ({ Records: bodies.map((body) => sqsRecord(body)) });
const fifo = (group: string, body: string) =>
  sqsRecord(body, {
    eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo',
    attributes: { ...sqsRecord('').attributes, MessageGroupId: group },
  });
const failing =
  (...bad: string[]): Handler =>
  (body) => {
    if (bad.includes(body)) throw new Error(`no ${body}`);
  };
const bodiesOf = (event: { Records: SQSRecord[] }, response: { batchItemFailures: { itemIdentifier: string }[] }) =>
  response.batchItemFailures.map(
    ({ itemIdentifier }) => event.Records.find(({ messageId }) => messageId === itemIdentifier)?.body,
  );

describe('batchItemFailures', () => {
  it('is an empty list when all is done, also of an empty batch', async () => {
    expect(await consumer()(batch('a', 'b'), lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(await consumer()(batch(), lambdaContext())).toEqual({ batchItemFailures: [] });
  });

  it('names just what failed, and says why in the log', async () => {
    const event = batch('a', 'b', 'c');
    expect(bodiesOf(event, await consumer(failing('b'))(event, lambdaContext()))).toEqual(['b']);
    expect(logged).toHaveBeenCalledWith(expect.stringContaining(event.Records[1]?.messageId ?? ''), new Error('no b'));
  });

  it('names a message by the id it came with, whatever the handler does to it', async () => {
    const record = sqsRecord('a');
    const { messageId } = record;
    const handler = idempotentBatch(
      async (mine) => {
        mine.messageId = 'changed';
        throw new Error('no');
      },
      { store, scope: 'test' },
    );
    expect((await handler({ Records: [record] }, lambdaContext())).batchItemFailures).toEqual([
      { itemIdentifier: messageId },
    ]);
  });

  it('names a message once, though it came twice in the batch', async () => {
    const record = sqsRecord('a');
    const { batchItemFailures } = await consumer(failing('a'))({ Records: [record, record] }, lambdaContext());
    expect(batchItemFailures).toEqual([{ itemIdentifier: record.messageId }]);
  });

  it.each([{}, { Records: 'x' }, { Records: [{}] }, { Records: [{ messageId: '' }] }, undefined])(
    'is not made for what is no SQS event: %j',
    async (event) => {
      await expect(consumer()(event as any, lambdaContext())).rejects.toMatchObject({ code: 'MISUSE' });
    },
  );
});

describe('redelivery', () => {
  it('is recognised by the message id', async () => {
    const event = batch('a', 'b');
    await consumer(failing('b'))(event, lambdaContext());
    await consumer()(event, lambdaContext());
    expect(ran).toEqual(['a', 'b', 'b']);
  });

  it('under new ids, as after a redrive, is recognised by a business key', async () => {
    await consumer(undefined, byBody)(batch('1', '2'), lambdaContext());
    expect(await consumer(undefined, byBody)(batch('1', '2'), lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual(['1', '2']);
  });

  it('of a recorded error is reported again, so that it reaches the dead-letter queue, without a run', async () => {
    const event = batch('a');
    const isTerminal = () => true;
    await consumer(failing('a'), { isTerminal })(event, lambdaContext());
    const { batchItemFailures } = await consumer(undefined, { isTerminal })(event, lambdaContext());
    expect(batchItemFailures).toHaveLength(1);
    expect(ran).toEqual(['a']);
  });

  it('of a record whose value could not be kept is done', async () => {
    const event = batch('a');
    await consumer(() => 1n)(event, lambdaContext());
    expect(await consumer()(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual(['a']);
  });

  it("but not of a record whose handler met somebody else's such value", async () => {
    const { IdempotencyError } = await import('effectively-once');
    const event = batch('a');
    const handler = consumer(() => {
      throw new IdempotencyError('RESULT_UNAVAILABLE', 'inner', { id: 'another' });
    });
    expect((await handler(event, lambdaContext())).batchItemFailures).toHaveLength(1);
  });
});

describe('one record', () => {
  it('that is in flight elsewhere is reported, never acknowledged', async () => {
    const gate = Promise.withResolvers<void>();
    const event = batch('a');
    const elsewhere = consumer(() => gate.promise)(event, lambdaContext());
    await vi.waitFor(() => expect(ran).toEqual(['a']));
    expect(bodiesOf(event, await consumer()(event, lambdaContext()))).toEqual(['a']);
    gate.resolve();
    expect(await elsewhere).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual(['a']);
  });

  it('with a malformed body sinks no other', async () => {
    const event = batch('1', 'not json', '2');
    expect(bodiesOf(event, await consumer(undefined, byBody)(event, lambdaContext()))).toEqual(['not json']);
    expect(ran).toEqual(['1', '2']);
  });

  it('with a fingerprint that cannot be taken sinks no other', async () => {
    const event = batch('1', 'not json', '2');
    const fingerprint = (record: SQSRecord) => JSON.parse(record.body);
    expect(bodiesOf(event, await consumer(undefined, { fingerprint })(event, lambdaContext()))).toEqual(['not json']);
  });

  it('with another body under its business key is reported', async () => {
    const key = () => 'k';
    await consumer(undefined, { key })(batch('1'), lambdaContext());
    const event = batch('2');
    expect(bodiesOf(event, await consumer(undefined, { key })(event, lambdaContext()))).toEqual(['2']);
    expect(ran).toEqual(['1']);
  });
});

it('runs duplicates inside one batch once, and all of them are done', async () => {
  const handler = consumer(async () => new Promise((resolve) => setTimeout(resolve, 20)), byBody);
  expect(await handler(batch('1', '1', '1', '2'), lambdaContext())).toEqual({ batchItemFailures: [] });
  expect(ran.sort()).toEqual(['1', '2']);
});

it('lets the second of two duplicates in one batch try when the first has failed', async () => {
  let tries = 0;
  const handler = consumer(() => {
    if (++tries === 1) throw new Error('once');
  }, byBody);
  const event = batch('1', '1');
  expect((await handler(event, lambdaContext())).batchItemFailures).toEqual([
    { itemIdentifier: event.Records[0]?.messageId },
  ]);
});

describe('concurrency', () => {
  const most = async (event: { Records: SQSRecord[] }, options: Partial<BatchOptions<SQSRecord>> = {}) => {
    let running = 0;
    let peak = 0;
    const handler = consumer(async () => {
      peak = Math.max(peak, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    }, options);
    await handler(event, lambdaContext());
    return peak;
  };
  const twenty = Array.from({ length: 20 }, (_, index) => `${index}`);

  it('is 10 by default, and what the option says', async () => {
    expect(await most(batch(...twenty))).toBe(10);
    expect(await most(batch(...twenty), { concurrency: 3 })).toBe(3);
  });

  it('is 1 within a FIFO group, and groups run side by side', async () => {
    expect(await most({ Records: twenty.map((body) => fifo('one', body)) })).toBe(1);
    expect(await most({ Records: twenty.map((body, index) => fifo(`${index % 4}`, body)) })).toBe(4);
  });

  it.each([0, -1, 1.5, '3', Number.NaN])('is refused as %j', (concurrency) => {
    expect(() => consumer(undefined, { concurrency: concurrency as number })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('`concurrency`') }),
    );
  });
});

it('stops a FIFO group at its first failure, and reports the rest of that group alone', async () => {
  const event = { Records: [fifo('a', '1'), fifo('b', '2'), fifo('a', '3'), fifo('b', '4'), fifo('a', '5')] };
  expect(bodiesOf(event, await consumer(failing('3'))(event, lambdaContext()))).toEqual(['3', '5']);
  expect(ran.sort()).toEqual(['1', '2', '3', '4']);
});

describe('when too little time is left', () => {
  it('reports what was not begun, without claiming it', async () => {
    const event = batch('a', 'b', 'c');
    expect(bodiesOf(event, await consumer()(event, lambdaContext(400)))).toEqual(['a', 'b', 'c']);
    expect(ran).toEqual([]);
    await consumer()(event, lambdaContext());
    expect(ran).toEqual(['a', 'b', 'c']);
  });

  it('begins nothing that would take longer than the slowest so far', async () => {
    const event = batch('a', 'b', 'c');
    const handler = consumer(async () => new Promise((resolve) => setTimeout(resolve, 700)), { concurrency: 1 });
    expect(bodiesOf(event, await handler(event, lambdaContext(1_300)))).toEqual(['b', 'c']);
  });

  it('counts a slow failure, too', async () => {
    const event = batch('a', 'b');
    const handler = consumer(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 700));
        throw new Error('slow');
      },
      { concurrency: 1 },
    );
    await handler(event, lambdaContext(1_300));
    expect(ran).toEqual(['a']);
  });

  it('does not begin a duplicate that has waited too long for the first', async () => {
    const handler = consumer(async () => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      throw new Error('slow');
    }, byBody);
    await handler(batch('1', '1'), lambdaContext(1_300));
    expect(ran).toEqual(['1']);
  });

  it('keeps the order of a FIFO group', async () => {
    const event = { Records: [fifo('a', '1'), fifo('a', '2')] };
    expect(bodiesOf(event, await consumer()(event, lambdaContext(400)))).toEqual(['1', '2']);
  });
});

describe('a configuration under which no record can be processed', () => {
  it('fails the invocation, so that somebody sees it', async () => {
    const { dynamoDBStore } = await import('effectively-once');
    store = dynamoDBStore();
    await expect(consumer()(batch('a', 'b'), lambdaContext())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('when there is not time for all records', () => {
  const received = (times: number, record: SQSRecord): SQSRecord => ({
    ...record,
    attributes: { ...record.attributes, ApproximateReceiveCount: `${times}` },
  });

  it('those that were received most often begin first, so that none is dead-lettered before it has begun', async () => {
    const Records = ['a', 'b', 'c', 'd'].map((body, index) => received([1, 3, 2, 3][index] ?? 0, sqsRecord(body)));
    const unknown = { ...sqsRecord('e'), attributes: undefined as any };
    await consumer(() => {}, { concurrency: 1 })({ Records: [unknown, ...Records] }, lambdaContext());
    expect([ran.slice(0, 2).toSorted(), ran.slice(2)]).toEqual([
      ['b', 'd'],
      ['c', 'a', 'e'],
    ]);
  });

  it('of those that came again together another is first every time', async () => {
    const Records = ['a', 'b'].map((body) => received(2, sqsRecord(body)));
    const random = vi.spyOn(Math, 'random');
    for (const draws of [
      [0.1, 0.9],
      [0.9, 0.1],
    ]) {
      for (const draw of draws) random.mockReturnValueOnce(draw);
      await consumer(() => {}, { concurrency: 1, store: memoryStore() })({ Records }, lambdaContext());
    }
    expect(ran).toEqual(['b', 'a', 'a', 'b']);
  });

  it('a FIFO group keeps its order', async () => {
    const Records = [
      received(1, fifo('x', 'x1')),
      received(1, fifo('y', 'y1')),
      received(5, fifo('x', 'x2')),
      received(2, fifo('z', 'z1')),
    ];
    await consumer(() => {}, { concurrency: 1 })({ Records }, lambdaContext());
    expect(ran).toEqual(['z1', 'x1', 'x2', 'y1']);
  });
});

describe('what is no success', () => {
  it('a value that is no outcome is reported as failed, and its key is free', async () => {
    const event = batch('a', 'b');
    const handler = consumer((body) => ({ status: ran.length > 2 ? 'DONE' : body === 'a' ? 'TRY_LATER' : 'DONE' }), {
      isOutcome: (value: any) => value.status !== 'TRY_LATER',
    });
    expect(bodiesOf(event, await handler(event, lambdaContext()))).toEqual(['a']);
    expect(bodiesOf(event, await handler(event, lambdaContext()))).toEqual([]);
    expect(ran).toEqual(['a', 'b', 'a']);
  });

  it('the same where it runs without a key', async () => {
    const handler = consumer(() => 'later', { key: () => undefined, onMissingKey: 'run', isOutcome: () => false });
    const event = batch('a');
    expect(bodiesOf(event, await handler(event, lambdaContext()))).toEqual(['a']);
  });

  it('a terminal error that cannot be kept holds back its FIFO group at every delivery', async () => {
    const codec = {
      name: 'none',
      encode: () => {
        throw new Error('no');
      },
      decode: () => 1,
    };
    const handler = consumer(
      (body) => {
        if (body === '1') throw new TerminalError('declined');
      },
      { codec },
    );
    const event = { Records: [fifo('A', '1'), fifo('A', '2')] };
    for (let delivery = 0; delivery < 3; delivery++) {
      expect(bodiesOf(event, await handler(event, lambdaContext()))).toEqual(['1', '2']);
    }
    expect(ran).toEqual(['1']);
  });
});
