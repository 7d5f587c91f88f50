import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  type AttributeValue,
  DeleteItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, type Execution, memoryStore, runOnce, type Store } from 'effectively-once';
import { resolve } from 'effectively-once/operator';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { withChunks } from '../../src/stores/chunks.ts';
import { createTable, engineClient } from '../engine.ts';
import { type Fault, type FaultyClient, faultyClient, isDown, neverAnswers, refuses } from '../faults.ts';

const KB = 1024;
const LARGE = randomBytes(300 * KB).toString('base64'); // 300 KB when it is compressed
const DAY = 24 * 60 * 60;

let tableName: string;
let aws: FaultyClient;
beforeEach(async () => {
  tableName = await createTable(engineClient());
  aws = faultyClient();
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const run = (fn: (execution: Execution) => unknown, options = {}) =>
  runOnce({ store: dynamoDBStore({ client: aws.client, tableName, cache: false }), ...OF_KEY, ...options }, fn);
const OF_KEY = { scope: 'test', key: 'key', payload: 1, lease: '10s', retention: '1h' } as const;
const wait = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);
const crash = () => new Promise(() => {});

/** The record, and the chunks beside it. */
const items = async () => {
  const { Items = [] } = await engineClient().send(new ScanCommand({ TableName: tableName, ConsistentRead: true }));
  const [records, chunks] = [Items.filter(({ bytes }) => !bytes), Items.filter(({ bytes }) => bytes)];
  return { record: records[0] as Record<string, AttributeValue>, chunks };
};
const expiryOf = (item: Record<string, AttributeValue> | undefined) => Number(item?.['expiresAt']?.N);
const sizeOf = (item: object) => JSON.stringify(item).length;
const lose = async (chunk: Record<string, AttributeValue> | undefined) => {
  const Key = { id: chunk?.['id'] as AttributeValue };
  await engineClient().send(new DeleteItemCommand({ TableName: tableName, Key }));
};

// What is loaded when it is first needed takes a busy machine longer than a try may.
beforeAll(() => import('../../src/stores/large-body.ts'));

describe('a large value', () => {
  it('is compressed, and stays in the record while it is below 8 KB', async () => {
    await run(() => 'x'.repeat(500 * KB));
    const { record, chunks } = await items();
    expect(sizeOf(record)).toBeLessThan(8 * KB);
    expect(chunks).toEqual([]);
  });

  it('is not compressed below 1 KB, so that an operator can read it', async () => {
    await run(() => ({ name: 'x'.repeat(900) }));
    expect((await items()).record['outcome']?.M?.['body']?.S).toContain('"xxx');
  });

  it('else is kept apart: a duplicate costs a write unit, by an item below 1 KB, and one batch of reads', async () => {
    expect(await run(() => LARGE)).toBe(LARGE);
    const { record, chunks } = await items();
    expect(sizeOf(record)).toBeLessThan(KB);
    expect(chunks).toHaveLength(1);
    const before = aws.requests();
    expect(await run(() => 'never')).toBe(LARGE);
    expect(aws.requests() - before).toBe(2);
  });

  it('costs a process that has seen it no request', async () => {
    await run(() => LARGE);
    const store = dynamoDBStore({ client: aws.client, tableName });
    const counts: number[] = [];
    for (let time = 0; time < 3; time++) {
      const before = aws.requests();
      expect(await run(() => 'never', { store })).toBe(LARGE);
      counts.push(aws.requests() - before);
    }
    expect(counts).toEqual([2, 0, 0]);
  });

  it('that is too large for the cache does not push the record out of it', async () => {
    await run(() => LARGE);
    const store = dynamoDBStore({ client: aws.client, tableName, cache: 10_000 });
    await run(() => 'never', { store });
    const before = aws.requests();
    expect(await run(() => 'never', { store })).toBe(LARGE);
    expect(aws.requests() - before).toBe(1);
  });

  it('is there before anything points to it, under a key that begins with the record’s, and expires later', async () => {
    const order: string[] = [];
    aws.next(
      'PutItem',
      (apply) => apply(),
      async (apply) => {
        order.push('chunk');
        return apply();
      },
    );
    aws.next('UpdateItem', async (apply) => {
      expect((await items()).chunks).toHaveLength(1);
      order.push('pointer');
      return apply();
    });
    await run(() => LARGE);
    expect(order).toEqual(['chunk', 'pointer']);
    const { record, chunks } = await items();
    expect(chunks[0]?.['id']?.S).toMatch(new RegExp(`^${record['id']?.S}#[\\w-]{12}#0$`));
    expect(expiryOf(chunks[0])).toBeGreaterThan(expiryOf(record));
  });

  it('of which a part is gone is RESULT_UNAVAILABLE, and nothing runs again', async () => {
    await run(() => randomBytes(900 * KB));
    const { chunks } = await items();
    expect(chunks).toHaveLength(3);
    await lose(chunks[1]);
    await expect(run(() => 'never')).rejects.toMatchObject({ code: 'RESULT_UNAVAILABLE' });
  });

  it.each([
    ['as the store is down', isDown],
    ['as the grant is too old', [refuses('AccessDeniedException')]],
  ])('that cannot be kept apart, %s, is kept in the record if it fits; else nothing runs again', async (_, faults) => {
    aws.next('PutItem', (apply) => apply(), ...faults);
    expect(await run(() => LARGE)).toBe(LARGE);
    expect(await run(() => 'never')).toBe(LARGE);
    const larger = randomBytes(400 * KB);
    aws.next('PutItem', (apply) => apply(), ...faults.flatMap((fault) => [fault, fault])); // of two chunks
    expect(await run(() => larger, { key: 'larger' })).toStrictEqual(larger);
    await expect(run(() => 'never', { key: 'larger' })).rejects.toMatchObject({
      code: 'RESULT_UNAVAILABLE',
      message: expect.stringContaining('could not be written: AccessDeniedException'),
    });
  });

  it.each<[string, object]>([
    [
      'unpacked more than we could have written',
      { body: { B: gzipSync(JSON.stringify('x'.repeat(9 * KB * KB))) }, stored: { M: { packed: { S: 'gzip' } } } },
    ],
    ['with parts without end', { stored: { M: { at: { S: 'there' }, chunks: { N: '22' } } } }],
  ])('that is %s is RESULT_UNAVAILABLE, and fills no memory', async (_, outcome) => {
    await run(() => 1);
    const id = (await items()).record['id'] as AttributeValue;
    await engineClient().send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { id },
        UpdateExpression: 'SET outcome = :outcome',
        ExpressionAttributeValues: { ':outcome': { M: { kind: { S: 'value' }, ...outcome } } },
      }),
    );
    await expect(run(() => 'never')).rejects.toMatchObject({ code: 'RESULT_UNAVAILABLE' });
  });

  it.each([1e9, Number.NaN, -1, Number.POSITIVE_INFINITY])(
    'in %d parts asks for no more than we could have written',
    async (chunks) => {
      const asked: string[] = [];
      const get = async (ids: readonly string[]) => {
        asked.push(...ids);
        return ids.map(() => undefined);
      };
      const store = withChunks(memoryStore(), { get, put: async () => {}, renew: async () => {} });
      const outcome = await store.load?.({ kind: 'value', stored: { packed: 'gzip', at: 'there', chunks } }, 'id');
      expect(outcome?.kind).toBe('unavailable');
      expect(asked.length).toBeLessThanOrEqual(22);
    },
  );

  it('that was damaged is RESULT_UNAVAILABLE', async () => {
    await run(() => LARGE);
    const [chunk] = (await items()).chunks;
    const Item = { ...chunk, bytes: { B: Buffer.from('nonsense') } };
    await engineClient().send(new PutItemCommand({ TableName: tableName, Item }));
    await expect(run(() => 'never')).rejects.toMatchObject({ code: 'RESULT_UNAVAILABLE' });
  });

  it('is read to its end where DynamoDB hands out a part', async () => {
    const bytes = randomBytes(900 * KB);
    await run(() => bytes);
    const inParts: Fault = async (apply) => {
      const { output, ...rest }: any = await apply();
      const [[table, read] = ['', []]] = Object.entries<any[]>(output.Responses);
      const Keys = read.slice(1).map(({ id }) => ({ id }));
      return {
        ...rest,
        output: { ...output, Responses: { [table]: read.slice(0, 1) }, UnprocessedKeys: { [table]: { Keys } } },
      };
    };
    aws.next('BatchGetItem', inParts, inParts, refuses('ThrottlingException'));
    expect(await run(() => 'never')).toEqual(bytes);
  });

  it('that does not arrive in time is STORE_UNAVAILABLE', async () => {
    await run(() => LARGE);
    aws.next('BatchGetItem', neverAnswers);
    await expect(run(() => 'never', { lease: '1s' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('that is too large is forgotten by nobody else: the cache keeps what it knew', async () => {
    const store = dynamoDBStore({ client: aws.client, tableName, cache: 2_000_000 });
    await run(() => LARGE, { store });
    aws.next('BatchGetItem', ...isDown);
    await run(() => LARGE, { store, key: 'another' });
    expect(await run(() => 'never', { store })).toBe(LARGE);
  });

  it('may be what was found out about an unknown outcome', async () => {
    run(crash);
    await vi.waitFor(async () => expect((await items()).record).toBeDefined());
    wait(12);
    expect(await run(() => 'never', { onUnknown: () => ({ value: LARGE }) })).toBe(LARGE);
    expect(await run(() => 'never')).toBe(LARGE);
  });

  it('may be what an operator says of one', async () => {
    run(crash, { onUnknown: 'refuse' });
    await vi.waitFor(async () => expect((await items()).record).toBeDefined());
    wait(12);
    await resolve(dynamoDBStore({ client: aws.client, tableName }), (await items()).record['id']?.S ?? '', {
      value: LARGE,
    });
    expect((await items()).chunks).toHaveLength(1);
    expect(await run(() => 'never')).toBe(LARGE);
  });

  it('that is damaged is told from one that is not, wherever a bit of it has changed', async () => {
    const prices = JSON.stringify(Array.from({ length: 1_500 }, (_, index) => ({ id: index, price: index * 1.25 })));
    const { keep, load } = dynamoDBStore({ client: aws.client, tableName }) as Required<Store>;
    const kept: any = await keep({ kind: 'value', body: prices }, { record: { id: 'x', owner: 'me', expiresAt: 9 } });
    for (let at = 0; at < kept.body.length; at += 7) {
      const body = Uint8Array.from(kept.body);
      body[at] = (body[at] as number) ^ 4;
      const { body: read, kind }: any = await load({ ...kept, body }, 'x');
      expect(kind === 'unavailable' || `${read}` === prices).toBe(true);
    }
  });

  it('of a stale run harms nobody: the winner keeps its own', async () => {
    const gate = Promise.withResolvers<unknown>();
    const entered = Promise.withResolvers<void>();
    const stale = run(() => {
      entered.resolve();
      return gate.promise;
    });
    await entered.promise;
    wait(12);
    const other = LARGE.toLowerCase();
    await run(() => LARGE);
    gate.resolve(other);
    expect(await stale).toBe(LARGE);
    expect(await run(() => 'never')).toBe(LARGE);
  });

  it('is committed with its writes, in either mode', async () => {
    const orders = await createTable(engineClient());
    for (const mode of ['claim', 'atomic'] as const) {
      const options = { mode, key: mode };
      const writes = [{ Put: { TableName: orders, Item: { id: `order-${mode}`, total: 1 } } }];
      expect(await run(({ commit }) => commit(LARGE, writes), options)).toBe(LARGE);
      expect(await run(() => 'never', { key: mode })).toBe(LARGE);
    }
  });

  it('is waited for', async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const first = run(async () => {
      entered.resolve();
      await gate.promise;
      return LARGE;
    });
    await entered.promise;
    const second = run(() => 'never', { onConflict: 'wait' });
    gate.resolve();
    expect(await Promise.all([first, second])).toEqual([LARGE, LARGE]);
  });
});

describe('a large value of a step', () => {
  const failing = ({ step }: Execution) => step('large', () => LARGE).then(() => Promise.reject(new Error('no')));

  it('lives as long as the record that points to it, however often the run fails', async () => {
    for (let attempt = 1; attempt <= 40; attempt++) {
      await expect(run(failing)).rejects.toThrow('no');
      const { record, chunks } = await items();
      expect(chunks).toHaveLength(1);
      expect(expiryOf(chunks[0])).toBeGreaterThan(expiryOf(record));
      wait(3_000);
    }
    expect(await run(({ step }) => step('large', () => 'never'))).toBe(LARGE);
  });

  it.each(['refuse', () => ({ rerun: true })] as const)(
    'outlives an undecided outcome by three months, with onUnknown: %s',
    async (onUnknown) => {
      run(({ step }) => step('large', () => LARGE).then(crash), { onUnknown });
      await vi.waitFor(async () => expect((await items()).record['steps']?.M).toHaveProperty('large'));
      const { record, chunks } = await items();
      expect(record).not.toHaveProperty('expiresAt');
      expect(expiryOf(chunks[0])).toBeGreaterThan(Date.now() / 1000 + 90 * DAY);
    },
  );

  it('is shown to who finds out about an unknown outcome', async () => {
    run(({ step }) => step('large', () => LARGE).then(crash));
    await vi.waitFor(async () => expect((await items()).record['steps']?.M).toHaveProperty('large'));
    wait(12);
    const reconcile = vi.fn((_, { steps }) => ({ value: steps.large.value.length }));
    expect(await run(() => 'never', { onUnknown: reconcile })).toBe(LARGE.length);
  });

  it('that a long run kept lives as long as the record that it releases', async () => {
    const late = async ({ step }: Execution) => {
      await step('large', () => {
        wait(30 * 60 * 60);
        return randomBytes(9 * KB); // no larger: past its lease a write has 250 ms
      });
      throw new Error('no');
    };
    await expect(run(late)).rejects.toThrow('no');
    const { record, chunks } = await items();
    expect(expiryOf(chunks[0])).toBeGreaterThan(expiryOf(record));
  });

  it.each<[string, () => unknown]>([
    ['that cannot be compressed', () => randomBytes(750).toString('base64')],
    [
      'of words',
      () =>
        Array.from({ length: 90 }, () => Math.random().toString(36).slice(2))
          .join(' ')
          .slice(0, 1_000),
    ],
    ['of one letter', () => 'x'.repeat(1_000)],
    ['of small things', () => randomBytes(300).toString('base64')],
  ])('leaves the record small however many there are, of 1 KB each or less: %s', async (_, value) => {
    const steps = async ({ step }: Execution) => {
      for (let index = 0; index < 40; index++) await step(`step-${index}`, value);
      throw new Error('no');
    };
    await expect(run(steps)).rejects.toThrow('no');
    expect(sizeOf((await items()).record)).toBeLessThan(14 * KB); // as JSON, which has thrice what DynamoDB counts
  });

  it('is apart from 1 KB on, and costs the next write nothing', async () => {
    await expect(
      run(({ step }) => step('s', () => randomBytes(2 * KB)).then(() => Promise.reject(new Error('no')))),
    ).rejects.toThrow('no');
    expect(sizeOf((await items()).record)).toBeLessThan(KB);
  });

  it('is not renewed for a retry that loses', async () => {
    await expect(run(failing)).rejects.toThrow('no');
    let updates = 0;
    const counted: Fault = (apply) => apply().finally(() => updates++);
    aws.next('UpdateItem', ...Array.from({ length: 10 }, () => counted));
    const gate = Promise.withResolvers<string>();
    const retries = Array.from({ length: 5 }, () => run(() => gate.promise).catch(({ code }) => code));
    setTimeout(() => gate.resolve('done'), 200);
    expect((await Promise.all(retries)).sort()).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', 'CONFLICT', 'done']);
    expect(updates).toBe(2); // a renewal, and the completion
  });

  it('that is gone is not made again by a retry', async () => {
    await expect(run(failing)).rejects.toThrow('no');
    await lose((await items()).chunks[0]);
    await run(() => 'done');
    expect((await items()).chunks).toEqual([]);
  });

  it('that is gone is shown as unavailable, and refuses a rerun of its step', async () => {
    await expect(run(failing)).rejects.toThrow('no');
    await lose((await items()).chunks[0]);
    await expect(run(({ step }) => step('large', () => 'never'))).rejects.toMatchObject({ code: 'RESULT_UNAVAILABLE' });
  });
});
