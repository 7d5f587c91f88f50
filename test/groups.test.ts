import type { SQSRecord } from 'aws-lambda';
import { type BatchOptions, type DynamoDBStoreOptions, idempotentBatch, TerminalError } from 'effectively-once';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Fault, fails, losesAnswer, neverAnswers, refuses } from './faults.ts';
import { lambdaContext, sqsRecord } from './ways.ts';
import { worldOfTests } from './world.ts';

/** Records of a batch whose writes share requests. */
const world = worldOfTests('a table for each test');

let ran: string[];
beforeEach(() => {
  ran = [];
  vi.spyOn(console, 'error').mockImplementation(() => {});
});

type Handler = (body: string) => unknown;
const consumer = (
  handler: Handler = () => 'done',
  { store = {}, ...options }: Omit<Partial<BatchOptions<SQSRecord>>, 'store'> & { store?: DynamoDBStoreOptions } = {},
) => {
  const consume = idempotentBatch<SQSRecord>(
    async ({ body }) => {
      ran.push(body);
      return handler(body);
    },
    { store: world.store(store), scope: 'test', fingerprint: false, key: ({ body }) => body, ...options },
  );
  return async (bodies: readonly string[], timeoutMs?: number): Promise<{ failed: string[]; requests: number }> => {
    const before = world.aws().requests();
    const Records = bodies.map((body) => sqsRecord(body));
    const { batchItemFailures } = await consume({ Records }, lambdaContext(timeoutMs));
    const failed = batchItemFailures.map(
      ({ itemIdentifier }) => Records.find(({ messageId }) => messageId === itemIdentifier)?.body ?? '',
    );
    return { failed: failed.sort(), requests: world.aws().requests() - before };
  };
};
const bodies = (count: number): string[] => Array.from({ length: count }, (_, index) => `order-${index}`);
const timesRun = (body: string): number => ran.filter((one) => one === body).length;

describe('requests', () => {
  it('of ten new records: 2, of ten duplicates: 2, as many as of one, and of none that the process has seen', async () => {
    expect(await consumer()(bodies(10))).toEqual({ failed: [], requests: 2 });
    const duplicates = consumer(undefined, { store: { cache: 100_000 } });
    expect(await duplicates(bodies(10))).toEqual({ failed: [], requests: 2 });
    expect(await duplicates(bodies(10))).toEqual({ failed: [], requests: 0 });
    expect(ran).toEqual(bodies(10));
  });

  it('of ten new records one by one: 20', async () => {
    expect(await consumer(undefined, { store: { group: false } })(bodies(10))).toEqual({ failed: [], requests: 20 });
  });

  it('of 1,000 records, 100 at once: at most 100', async () => {
    const { failed, requests } = await consumer(undefined, { concurrency: 100 })(bodies(1_000));
    expect(failed).toEqual([]);
    expect(requests).toBeLessThanOrEqual(100);
  });
});

describe('each record of a group is judged alone', () => {
  const all = ['new', 'done', 'failing', 'declined', 'unavailable'];
  const handler: Handler = (body) => {
    if (body === 'failing') throw new Error('no');
    if (body === 'declined') throw new TerminalError('no');
    return body === 'unavailable' ? () => {} : body;
  };

  it.each([true, false])('as one by one: group %s', async (group) => {
    const consume = consumer(handler, { store: { group } });
    await consume(['done']);
    expect((await consume(all)).failed).toEqual(['declined', 'failing']);
    expect((await consume(all)).failed).toEqual(['declined', 'failing']);
    expect(ran.sort()).toEqual(['declined', 'done', 'failing', 'failing', 'new', 'unavailable']);
  });

  it('and leaves the same records', async () => {
    const recordsOf = async (group: boolean) => {
      const before = new Set((await world.items()).map(({ id }) => id?.S));
      const consume = consumer(handler, { store: { group }, scope: `group-${group}` });
      await consume(['done', ...all]);
      const items = (await world.items()).filter(({ id }) => !before.has(id?.S));
      return items.map(({ status, attempt, version, outcome, steps, leaseUntil, owner }) => ({
        ...{ status, attempt, version, outcome, isOwned: owner !== undefined },
        isEmpty: Object.keys(steps?.M ?? {}).length === 0 && Number(leaseUntil?.N ?? 0) === 0,
      }));
    };
    const textOf = ({ outcome }: { outcome: any }): string => outcome?.M.body?.S ?? outcome?.M.error.M.message.S ?? '';
    const sorted = (records: { outcome: any }[]) => records.sort((a, b) => textOf(a).localeCompare(textOf(b)));
    expect(sorted(await recordsOf(true))).toEqual(sorted(await recordsOf(false)));
  });

  it('a conflict, a mismatch and a lost run beside new ones', async () => {
    const gate = Promise.withResolvers<unknown>();
    const slow = consumer(() => gate.promise)(['busy']);
    await vi.waitFor(() => expect(ran).toEqual(['busy']));
    const other = { fingerprint: ({ body }: SQSRecord) => `another ${body}` };
    await consumer(undefined, { ...other })(['changed']);
    const mixed = { fingerprint: ({ body }: SQSRecord) => body };
    expect((await consumer(undefined, mixed)(['busy', 'changed', 'new'])).failed).toEqual(['busy', 'changed']);
    gate.resolve('late');
    expect((await slow).failed).toEqual([]);
    expect((await consumer()(['busy', 'new'])).failed).toEqual([]);
    expect(ran.sort()).toEqual(['busy', 'changed', 'new']);
  });

  it('two records of one key run once', async () => {
    const { failed } = await consumer()(['a', 'b', 'a', 'b', 'a']);
    expect({ failed, ran: ran.sort() }).toEqual({ failed: [], ran: ['a', 'b'] });
  });
});

describe('a group that meets a fault', () => {
  const faults: [string, Fault][] = [
    ['loses its answer', losesAnswer],
    ['is never answered', neverAnswers],
    ['fails', fails],
    ['is throttled', refuses('ThrottlingException')],
  ];

  it.each(faults)('of claims that %s', async (name, fault) => {
    world.aws().next('BatchExecuteStatement', fault);
    const { failed } = await consumer()(bodies(5), 3_000);
    expect(failed).toEqual(name === 'is never answered' ? bodies(5) : []); // a claim is not waited for any longer
    await consumer()(failed);
    expect(ran.sort()).toEqual(bodies(5));
  });

  it.each(faults)('of completions that %s', async (_, fault) => {
    world.aws().next('BatchExecuteStatement', (apply) => apply(), fault);
    expect((await consumer()(bodies(5), 3_000)).failed).toEqual([]);
    expect((await consumer()(bodies(5))).failed).toEqual([]);
    expect(ran.sort()).toEqual(bodies(5)); // none ran again
  });

  it('of which one statement is throttled, and one fails', async () => {
    const hits = (code: string, index: number): Fault => {
      return async (apply) => {
        const result: any = await apply();
        result.output.Responses[index] = { Error: { Code: code, Message: code } };
        return result;
      };
    };
    world.aws().next('BatchExecuteStatement', hits('ProvisionedThroughputExceeded', 1), hits('InternalServerError', 0));
    expect((await consumer()(bodies(4), 3_000)).failed).toEqual([]);
    expect(ran.sort()).toEqual(bodies(4));
  });

  it('and whose records in the way cannot be read: each is asked for alone', async () => {
    await consumer()(bodies(3));
    world.aws().next('BatchGetItem', refuses('AccessDeniedException'));
    expect((await consumer()(bodies(3))).failed).toEqual([]);
    world.aws().next('BatchGetItem', fails, fails);
    expect((await consumer()(bodies(3))).failed).toEqual([]);
    expect(ran).toEqual(bodies(3));
  });

  it.each(['loses its answer', 'is never answered'])(
    '%s, whatever becomes of the rest: no effect comes twice',
    async (name) => {
      const fault = faults.find(([one]) => one === name)?.[1] as Fault;
      const gone: Fault = (apply) => fault(apply);
      world.aws().next('BatchExecuteStatement', gone, gone);
      world.aws().next('PutItem', gone, gone);
      world.aws().next('UpdateItem', gone, gone);
      await consumer()(bodies(5), 2_000);
      world.aws().clear();
      await consumer()(bodies(5));
      for (const body of ran) expect(timesRun(body)).toBe(1);
    },
  );
});

describe('where groups are not allowed', () => {
  const denied = refuses('AccessDeniedException');

  it('one warning says so, writes go one by one, and nothing is lost', async () => {
    world.aws().next('BatchExecuteStatement', denied, denied);
    const consume = consumer();
    expect(await consume(bodies(5))).toEqual({ failed: [], requests: 11 });
    expect(await consume(['a', 'b'])).toEqual({ failed: [], requests: 4 });
    const warnings = vi.mocked(process.emitWarning).mock.calls.map(([text]) => String(text));
    expect(warnings).toEqual([expect.stringMatching(/one by one.*grantIdempotency/)]);
  });

  it('also if each statement says so', async () => {
    world.aws().next('BatchExecuteStatement', async () => ({
      response: {},
      output: { Responses: Array(3).fill({ Error: { Code: 'AccessDenied', Message: 'no' } }), $metadata: {} },
    }));
    const consume = consumer();
    expect(await consume(bodies(3))).toEqual({ failed: [], requests: 7 });
    expect(await consume(['a', 'b'])).toEqual({ failed: [], requests: 4 });
  });

  it('a table that is named by its ARN is written one by one', async () => {
    const sent: string[] = [];
    const send = async (command: object): Promise<object> => {
      sent.push(command.constructor.name);
      return {};
    };
    const tableName = 'arn:aws:dynamodb:eu-central-1:000000000000:table/idempotency';
    await consumer(undefined, { store: { tableName, client: { send } as never } })(bodies(2));
    expect(sent.sort()).toEqual(['PutItemCommand', 'PutItemCommand', 'UpdateItemCommand', 'UpdateItemCommand']);
  });
});
