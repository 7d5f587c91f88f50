import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueUrlCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { type BatchOptions, idempotentBatch, memoryStore, type Store, TerminalError } from 'effectively-once';
import { type SqsRedeliveryOptions, sqsRedelivery } from 'effectively-once/sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fifo, kinesis } from '../batches.ts';
import { lambdaContext, sqsRecord } from '../ways.ts';

const QUEUE = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders';
const DEAD = 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead';

let store: Store;
let hidden: Record<string, number>;
let requests: number;
let sent: SendMessageCommandInput[];
let broken: (command: unknown) => boolean;
let logged: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  store = memoryStore();
  hidden = {};
  requests = 0;
  sent = [];
  broken = () => false;
  logged = vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => vi.restoreAllMocks());

/** SQS, as far as redelivery asks it. */
const client: any = {
  async send(command: unknown) {
    if (broken(command)) throw new Error('SQS is down');
    if (command instanceof GetQueueUrlCommand) return { QueueUrl: QUEUE };
    if (command instanceof SendMessageCommand) return void sent.push(command.input);
    if (!(command instanceof ChangeMessageVisibilityBatchCommand)) throw new Error('unexpected');
    requests++;
    const { Entries = [] } = command.input;
    if (Entries.length > 10 || command.input.QueueUrl !== QUEUE) throw new Error('refused');
    for (const { ReceiptHandle = '', VisibilityTimeout = Number.NaN } of Entries)
      hidden[ReceiptHandle] = VisibilityTimeout;
    return { Successful: [], Failed: [] };
  },
};

const message = (body: string, received = 1): SQSRecord => {
  const record = sqsRecord(body);
  return {
    ...record,
    receiptHandle: body,
    attributes: { ...record.attributes, ApproximateReceiveCount: `${received}` },
  };
};
const consumer = (
  handler: (body: string) => unknown,
  options: SqsRedeliveryOptions = {},
  more: Partial<BatchOptions<SQSRecord>> = {},
) =>
  idempotentBatch(async (record: SQSRecord) => handler(record.body), {
    store,
    scope: 'test',
    redelivery: sqsRedelivery({ client, ...options }),
    ...more,
  });
const no = () => {
  throw new Error('no');
};
const never = () => {
  throw new TerminalError('card declined');
};

describe('a message that fails', () => {
  it('comes again after a pause that doubles with the attempts of its record, up to 15 min', async () => {
    const event = { Records: [message('a')] };
    const pauses: (number | undefined)[] = [];
    for (let attempt = 1; attempt <= 11; attempt++) {
      await consumer(no)(event, lambdaContext());
      pauses.push(hidden['a']);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  it('is spread over the whole of that', async () => {
    vi.mocked(Math.random).mockReturnValue(0.25);
    await consumer(no)({ Records: [message('a')] }, lambdaContext());
    expect(hidden).toEqual({ a: 1 });
  });

  it('comes again when `retryAfter` says, which is told what is known', async () => {
    const retryAfter = vi.fn(() => '5m' as const);
    const record = message('a', 3);
    await consumer(no, { retryAfter })({ Records: [record] }, lambdaContext());
    expect(hidden).toEqual({ a: 300 });
    expect(retryAfter).toHaveBeenCalledExactlyOnceWith(new Error('no'), { attempt: 1, receiveCount: 3, record });
  });

  it.each([
    ['is left as it is by', undefined, undefined],
    ['waits no longer than SQS allows for', '30d', 42_000],
    ['comes at once for', 0, 0],
    ['waits a second for a part of one, as for', 1, 1],
  ] as const)('%s %j', async (_, answer, seconds) => {
    await consumer(no, { retryAfter: () => answer })({ Records: [message('a')] }, lambdaContext());
    expect(hidden['a']).toBe(seconds);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 'soon', null, {}])(
    'is left as it is by an answer that is no time: %j',
    async (answer) => {
      await consumer(no, { retryAfter: () => answer as any })({ Records: [message('a')] }, lambdaContext());
      expect(hidden).toEqual({});
      expect(logged).toHaveBeenCalledWith(expect.stringContaining('retryAfter'));
    },
  );

  it('is left as it is, and reported, if `retryAfter` or SQS fails', async () => {
    const event = { Records: [message('a')] };
    expect((await consumer(no, { retryAfter: no })(event, lambdaContext())).batchItemFailures).toHaveLength(1);
    broken = () => true;
    expect((await consumer(no)(event, lambdaContext())).batchItemFailures).toHaveLength(1);
    expect(hidden).toEqual({});
  });

  it('is reported in time though SQS does not answer', async () => {
    const silent: any = { send: () => new Promise(() => {}) };
    const answer = await consumer(no, { client: silent })({ Records: [message('a')] }, lambdaContext(2_000));
    expect(answer.batchItemFailures).toHaveLength(1);
  });

  it('shares its request with nine others', async () => {
    await consumer(no)({ Records: Array.from({ length: 25 }, (_, at) => message(`${at}`)) }, lambdaContext());
    expect([requests, Object.keys(hidden).length]).toEqual([3, 25]);
  });

  it('costs no request if none has failed', async () => {
    await consumer(() => {})({ Records: [message('a')] }, lambdaContext());
    expect(requests).toBe(0);
  });

  it('was never begun: nothing is known of attempts', async () => {
    const retryAfter = vi.fn(() => 0);
    const late = { ...lambdaContext(), getRemainingTimeInMillis: () => 100 };
    await consumer(no, { retryAfter })({ Records: [message('a')] }, late);
    expect(retryAfter).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ attempt: undefined }));
  });
});

describe('a message of a tenant in a standard queue', () => {
  it('waits by itself: such a queue has no order', async () => {
    const of = (body: string) => {
      const record = message(body);
      return { ...record, attributes: { ...record.attributes, MessageGroupId: 'tenant' } };
    };
    const retryAfter = (_: unknown, { record }: { record: SQSRecord }) => (record.body === 'a' ? '5m' : '1s') as '5m';
    await consumer(no, { retryAfter })({ Records: [of('a'), of('b')] }, lambdaContext());
    expect(hidden).toEqual({ a: 300, b: 1 });
  });
});

describe('a message whose runs are not counted', () => {
  it.each([
    ['in mode atomic', { mode: 'atomic' }],
    ['without a key', { key: () => undefined, onMissingKey: 'run' }],
  ] as const)('waits by its receives: %s', async (_, options) => {
    for (const received of [1, 2, 3]) {
      await consumer(no, {}, options)({ Records: [message('a', received)] }, lambdaContext());
      expect(hidden['a']).toBe(2 ** received);
    }
  });
});

describe('a message of a FIFO group', () => {
  const grouped = (at: number, lane: string) => ({ ...fifo.record({ at, lane }), receiptHandle: `${at}` });

  it('that fails waits with all that stand behind it, and no other group does', async () => {
    const Records = [grouped(0, 'a'), grouped(1, 'b'), grouped(2, 'a')];
    await consumer((body) => body === '0' && no())({ Records }, lambdaContext());
    expect(hidden).toEqual({ 0: 2, 2: 2 });
  });

  it('that has several lanes waits for the longest', async () => {
    const Records = [grouped(0, 'a'), grouped(1, 'a'), grouped(2, 'a')];
    const retryAfter = (_: unknown, { record }: { record: SQSRecord }) => (record.body === '0' ? 1_000 : 9_000);
    await consumer(no, { retryAfter }, { lane: ({ body }) => body })({ Records }, lambdaContext());
    expect(hidden).toEqual({ 0: 9, 1: 9, 2: 9 });
  });
});

describe('a conflict', () => {
  it('comes again when the lease in its way ends', async () => {
    const event = { Records: [message('a')] };
    const gate = Promise.withResolvers<void>();
    const elsewhere = consumer(() => gate.promise)(event, lambdaContext(60_000));
    await vi.waitFor(async () => {
      await consumer(no, { retryAfter: no })(event, lambdaContext(3_000));
      expect(hidden['a']).toBeDefined();
    });
    expect(hidden['a']).toBeGreaterThan(55);
    expect(hidden['a']).toBeLessThanOrEqual(61); // with the clock skew
    gate.resolve();
    await elsewhere;
  });

  it('is waited for if that is within the time of the invocation', async () => {
    const event = { Records: [message('a')] };
    const gate = Promise.withResolvers<void>();
    const elsewhere = consumer(() => gate.promise, {}, { lease: '2s' })(event, lambdaContext(60_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const here = consumer(no)(event, lambdaContext(60_000));
    gate.resolve();
    expect(await Promise.all([elsewhere, here])).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    expect(hidden).toEqual({});
  });
});

describe('a terminal error', () => {
  const attributes = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`a${at}`, { dataType: 'String', stringValue: `${at}` }]),
    );
  const withAttributes = (messageAttributes: any) => ({ ...message('a'), messageAttributes });
  const dead = { deadLetterQueueUrl: DEAD };

  it('is sent to the dead-letter queue at once, with its record and the reason, and is acknowledged', async () => {
    const original = {
      tenant: { dataType: 'String', stringValue: 'a' },
      bytes: { dataType: 'Binary', binaryValue: Buffer.from('x').toString('base64') },
    };
    const answer = await consumer(never, dead)({ Records: [withAttributes(original)] }, lambdaContext());
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(sent).toEqual([
      {
        QueueUrl: DEAD,
        MessageBody: 'a',
        MessageAttributes: {
          tenant: { DataType: 'String', StringValue: 'a' },
          bytes: { DataType: 'Binary', BinaryValue: Buffer.from('x') },
          'record-id': { DataType: 'String', StringValue: expect.stringMatching(/^test#/) },
          reason: { DataType: 'String', StringValue: 'TerminalError: card declined' },
        },
      },
    ]);
    expect(hidden).toEqual({});
  });

  it('is sent as it came, whatever its handler has done to it', async () => {
    const handler = idempotentBatch(
      (record: SQSRecord) => {
        record.body = JSON.parse('{}');
        throw new TerminalError('never');
      },
      { store, scope: 'test', redelivery: sqsRedelivery({ client, ...dead }) },
    );
    expect(await handler({ Records: [message('a')] }, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(sent[0]?.MessageBody).toBe('a');
  });

  it('keeps attributes of the same names that are not ours', async () => {
    const original = { reason: { dataType: 'String', stringValue: 'theirs' } };
    await consumer(never, dead)({ Records: [withAttributes(original)] }, lambdaContext());
    expect(sent[0]?.MessageAttributes?.['reason']?.StringValue).toBe('theirs');
  });

  it('lets its lane go on', async () => {
    const ran: string[] = [];
    const Records = [fifo.record({ at: 0 }), fifo.record({ at: 1 })];
    const handler = consumer((body) => {
      ran.push(body);
      if (body === '0') never();
    }, dead);
    expect(await handler({ Records }, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(ran).toEqual(['0', '1']);
  });

  it('is not acknowledged until that has succeeded', async () => {
    broken = (command) => command instanceof SendMessageCommand;
    const event = { Records: [message('a')] };
    expect((await consumer(never, dead)(event, lambdaContext())).batchItemFailures).toHaveLength(1);
    broken = () => false;
    expect((await consumer(no, dead)(event, lambdaContext())).batchItemFailures).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  it.each([
    [8, ['record-id', 'reason'], []],
    [9, ['record-id'], ['reason']],
    [10, [], ['record-id', 'reason']],
  ])('of a message with %i attributes says what has room, and the rest in the log', async (count, said, unsaid) => {
    await consumer(never, dead)({ Records: [withAttributes(attributes(count))] }, lambdaContext());
    expect(Object.keys(sent[0]?.MessageAttributes ?? {})).toEqual([...Object.keys(attributes(count)), ...said]);
    const inLog = logged.mock.calls.flatMap(([, rest]: unknown[]) => Object.keys((rest ?? {}) as object));
    expect(inLog).toEqual(unsaid);
  });

  it('of a message as large as SQS takes leaves it as it is', async () => {
    const record = { ...message('a'), body: 'x'.repeat(1024 * 1024) };
    await consumer(never, dead)({ Records: [record] }, lambdaContext());
    expect(Object.keys(sent[0]?.MessageAttributes ?? {})).toEqual([]);
    expect(sent[0]?.MessageBody).toBe(record.body);
  });

  it.each(['', 'a\u0000b\nc', '\ud83d', 'x'.repeat(5_000)])(
    'has a reason that SQS takes, whatever its message is: %j',
    async (text) => {
      await consumer(() => {
        throw new TerminalError(text);
      }, dead)({ Records: [message('a')] }, lambdaContext());
      const reason = sent[0]?.MessageAttributes?.['reason']?.StringValue ?? '';
      expect(reason).toMatch(/^TerminalError: [^\p{Cc}]*$/u);
      expect(reason.isWellFormed()).toBe(true);
      expect(reason.length).toBeLessThanOrEqual(500);
    },
  );

  it('is sent once to a FIFO queue, in its group, though it is sent twice', async () => {
    const event = { Records: [fifo.record({ at: 0, lane: 'g' })] };
    const handler = consumer(never, { deadLetterQueueUrl: `${DEAD}.fifo` });
    await handler(event, lambdaContext());
    await handler(event, lambdaContext());
    const [first, second] = sent;
    expect(first).toMatchObject({ MessageGroupId: 'g', MessageDeduplicationId: expect.stringMatching(/^[\w-]{36}$/) });
    expect(second?.MessageDeduplicationId).toBe(first?.MessageDeduplicationId);
  });

  it('without such a queue comes again as any other', async () => {
    expect((await consumer(never)({ Records: [message('a')] }, lambdaContext())).batchItemFailures).toHaveLength(1);
    expect(hidden).toEqual({ a: 2 });
  });

  it('is told to onTerminal, too', async () => {
    const onTerminal = vi.fn(async () => {});
    await consumer(never, dead, { onTerminal })({ Records: [message('a')] }, lambdaContext());
    expect([sent.length, onTerminal.mock.calls.length]).toEqual([1, 1]);
  });

  it('of a refusal that no redelivery can mend is not sent there: nothing of it is on record', async () => {
    const answer = await consumer(never, dead, { key: () => 'a\nb' })({ Records: [message('a')] }, lambdaContext());
    expect([answer.batchItemFailures.length, sent.length]).toEqual([1, 0]);
  });
});

describe('sqsRedelivery', () => {
  it.each([{ retryAfter: 5 }, { client: {} }, { deadLetterQueueUrl: 'dead' }, { retryIn: '5s' }])(
    'refuses what it does not know: %j',
    (options) => {
      expect(() => sqsRedelivery(options as any)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );

  it('is for SQS alone', async () => {
    const handler = idempotentBatch<any>(() => {}, {
      store,
      scope: 'test',
      redelivery: sqsRedelivery({ client }) as any,
    });
    await expect(handler(kinesis.event([kinesis.record({ at: 0 })]), lambdaContext())).rejects.toMatchObject({
      code: 'MISUSE',
    });
  });
});
