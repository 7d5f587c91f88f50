import { randomBytes } from 'node:crypto';
import { DeleteItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, runOnce, TerminalError } from 'effectively-once';
import { forget, inspect, recordId, resolve } from 'effectively-once/operator';
import { memoryStore } from 'effectively-once/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTable, engineClient } from '../engine.ts';
import { CHARGE, completed, crashed, failed, released } from './world.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

const idOf = (key: string): string => recordId({ scope: 'charge', key });
const later = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

describe('inspect says of a record', () => {
  it('in progress who holds it until when, which steps are done, and writes nothing', async () => {
    const store = memoryStore();
    await crashed(store, { key: 'k', principal: 'alice' });
    const before = structuredClone(store.records());
    const id = recordId({ scope: 'charge', key: 'k', principal: 'alice' });
    const now = Date.now();
    expect(await inspect(store, id)).toEqual({
      ...{ id, scope: 'charge', key: 'k', principal: 'alice', cut: [], source: 'run-once' },
      ...{ state: 'in-progress', means: 'a run holds it', attempt: 1, version: 2, isCommit: false },
      ...{ claimedAt: now, leaseUntil: now + 31_000, expiresAt: Math.ceil((now + 31_000) / 1_000 + 86_400) * 1_000 },
      owner: expect.any(String),
      steps: { charge: { kind: 'value', value: { chargeId: 'ch_1' }, codec: 'json', bytes: 19 } },
      bytes: expect.any(Number),
    });
    expect(store.records()).toEqual(before);
  });

  it('that is done, but whose value could not be kept, what duplicates get', async () => {
    const store = memoryStore();
    await completed(store, 'k', () => 'a function');
    const { state, means } = await inspect(store, idOf('k'));
    expect({ state, means }).toEqual({
      state: 'completed',
      means: expect.stringContaining('RESULT_UNAVAILABLE (410)'),
    });
  });

  it('nothing, of an instance that was cut', async () => {
    const instance = 'urn:effectively-once:record:charge%2';
    await expect(inspect(memoryStore(), instance)).rejects.toMatchObject({ code: 'MISUSE', message: /is no instance/ });
  });

  it.each([
    ['', 0],
    ['urn:effectively-once:record:', 0],
    ['é'.repeat(1_025), 2_050],
  ])('nothing, of %j, which no record can have for its id', async (id, bytes) => {
    const store = dynamoDBStore({ client: engineClient(), tableName: 'nowhere' });
    const refused = {
      code: 'MISUSE',
      message: `the id of a record has 1 to 2,048 bytes; got ${bytes.toLocaleString('en-US')}`,
    };
    for (const asked of [inspect(store, id), forget(store, id), resolve(store, id, { rerun: true })])
      await expect(asked).rejects.toMatchObject(refused);
    await expect(inspect(store, 'é'.repeat(1_024))).rejects.toMatchObject({ code: 'CONFIG_INVALID' }); // which may be one
  });

  it.each([
    ['rerun', 'stuck', 'the next request runs it again'],
    ['refuse', 'in-doubt', 'it waits for `resolve`'],
  ] as const)('whose run was lost, with onUnknown %s, that it is %s', async (onUnknown, state, means) => {
    const store = memoryStore();
    await crashed(store, { key: 'k', onUnknown });
    later(31_000);
    expect(await inspect(store, idOf('k'))).toMatchObject({ state, means: expect.stringContaining(means) });
  });

  it('that is done its outcome, decoded, and when', async () => {
    const store = memoryStore();
    await completed(store, 'k', { paid: true });
    expect(await inspect(store, idOf('k'))).toMatchObject({
      ...{ state: 'completed', completedAt: Date.now(), isCommit: false },
      outcome: { kind: 'value', value: { paid: true }, codec: 'json' },
    });
    await completed(store, 'dates', new Map([['amount', 5n]]));
    expect(await inspect(store, idOf('dates'))).toMatchObject({
      outcome: { value: new Map([['amount', 5n]]), codec: 'v8' },
    });
  });

  it('whose value could not be kept why that is', async () => {
    const store = memoryStore();
    await completed(store, 'k', () => 'no function can be');
    const outcome = { kind: 'unavailable', why: 'it holds a function' };
    expect(await inspect(store, idOf('k'))).toMatchObject({ state: 'completed', outcome });
  });

  it('that failed its error, with what was kept of it', async () => {
    const store = memoryStore();
    const declined = Object.assign(new TerminalError('declined'), { declineCode: 'no_money' });
    await runOnce({ ...CHARGE, store, key: 'k' }, () => Promise.reject(declined)).catch(() => {});
    expect(await inspect(store, idOf('k'))).toMatchObject({
      state: 'failed',
      error: { name: 'TerminalError', message: 'declined' },
      outcome: { kind: 'error', error: { name: 'TerminalError', message: 'declined', declineCode: 'no_money' } },
    });
  });

  it('that was released, that has expired, and that came of a commit', async () => {
    const store = memoryStore();
    await released(store, 'released');
    expect(await inspect(store, idOf('released'))).toMatchObject({ state: 'released', steps: {} });
    await runOnce({ ...CHARGE, store, key: 'committed' }, ({ commit }) => commit('v', []));
    expect(await inspect(store, idOf('committed'))).toMatchObject({ state: 'completed', isCommit: true });
    later(25 * 60 * 60 * 1_000);
    expect(await inspect(store, idOf('committed'))).toMatchObject({ state: 'expired' });
  });

  it('by the instance of problem details, too', async () => {
    const store = memoryStore();
    await failed(store, 'k');
    const instance = `urn:effectively-once:record:${encodeURIComponent(idOf('k'))}`;
    expect(await inspect(store, instance)).toMatchObject({ id: idOf('k') });
  });

  it('whose codec it does not know its size, and with that codec its value', async () => {
    const store = memoryStore();
    const codec = {
      name: 'reversed',
      encode: (value: unknown) => Buffer.from(JSON.stringify(value)).reverse(),
      decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).reverse().toString()),
    };
    await completed(store, 'k', [1, 2], { codec });
    const why = 'it was written by the codec "reversed"';
    const { outcome } = await inspect(store, idOf('k'));
    expect(outcome).toStrictEqual({ kind: 'unavailable', why, codec: 'reversed', bytes: 5 });
    expect(await inspect(store, idOf('k'), { codec })).toMatchObject({ outcome: { value: [1, 2] } });
    const isDown = async () => Promise.reject(Object.assign(new Error('KMS is down'), { statusCode: 503 }));
    const down = await inspect(store, idOf('k'), { codec: { ...codec, decode: isDown } });
    expect(down).toMatchObject({ state: 'completed', outcome: { kind: 'unavailable', why: 'the codec failed' } });
  }, 20_000);
});

describe('inspect refuses', () => {
  it('an id that is not there, and a store that cannot be read', async () => {
    const misuse = (message: string) => expect.objectContaining({ code: 'MISUSE', message });
    await expect(inspect(memoryStore(), 'charge#1')).rejects.toEqual(misuse('there is no record "charge#1"'));
    const { read, ...unreadable } = memoryStore();
    await expect(inspect(unreadable, 'charge#1')).rejects.toEqual(misuse('this store cannot be read'));
  });
});

describe('in DynamoDB', () => {
  const client = engineClient();
  let TableName: string;
  beforeAll(async () => {
    TableName = await createTable(client);
  });
  beforeEach(() => void vi.useRealTimers());
  const open = () => dynamoDBStore({ client, tableName: TableName });

  it('a large outcome is shown, with how it is kept, and its absence is told', async () => {
    const value = randomBytes(600_000).toString('base64');
    await completed(open(), 'large', value);
    const shown = await inspect(open(), idOf('large'));
    expect(shown.outcome).toStrictEqual({ kind: 'value', value, codec: 'json', apart: { items: 2 } });
    expect(shown.bytes).toBeLessThan(1_024);
    const { Items = [] } = await client.send(new ScanCommand({ TableName, ProjectionExpression: 'id' }));
    const part = Items.find(({ id }) => id?.S?.startsWith(`${idOf('large')}#`));
    await client.send(new DeleteItemCommand({ TableName, Key: part as any }));
    expect((await inspect(open(), idOf('large'))).outcome).toStrictEqual({
      ...{ kind: 'unavailable', why: 'a part of it is gone' },
      ...{ codec: 'json', apart: { items: 2 } },
    });
  });

  it.each<[string, object, string]>([
    ['of a later format', { format: { N: '2' } }, 'was not written by this version of effectively-once'],
    ['of another tool', { status: { S: 'COMPLETED' }, data: { S: '{}' } }, 'was not written by this version'],
    ['that is damaged', { format: { N: '1' }, status: { S: 'DONE' } }, 'is damaged: `status` is missing or invalid'],
  ])('a record %s is refused', async (_, attributes, message) => {
    const Item = { id: { S: `charge#${crypto.randomUUID()}` }, ...attributes };
    await client.send(new PutItemCommand({ TableName, Item }));
    await expect(inspect(open(), Item.id.S)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    });
  });

  it('bytes that are no JSON are told to be none', async () => {
    await completed(open(), 'garbled', 'x');
    const record = await open().read?.(idOf('garbled'));
    const { toItem } = await import('../../src/stores/dynamodb/item.ts');
    const Item = toItem({ ...record, outcome: { kind: 'value', body: '{"a":' } } as any);
    await client.send(new PutItemCommand({ TableName, Item: Item as any }));
    expect((await inspect(open(), idOf('garbled'))).outcome).toStrictEqual({
      ...{ kind: 'unavailable', why: 'it cannot be decoded', codec: 'json', bytes: 5 },
    });
  });
});
