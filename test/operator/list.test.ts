import { type DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, type Store } from 'effectively-once';
import {
  inspect,
  type Listed,
  type Listing,
  type ListOptions,
  list,
  STATES,
  type State,
} from 'effectively-once/operator';
import { memoryStore } from 'effectively-once/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordId } from '../../src/core/identity.ts';
import type { Claimed, Completed, IdempotencyRecord } from '../../src/core/record.ts';
import { toChunkItem, toItem } from '../../src/stores/dynamodb/item.ts';
import { createTable, engineClient } from '../engine.ts';

const NOW = 1_800_000_000_000;
const FAST = { unitsPerSecond: 100_000 };

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
afterEach(() => void vi.useRealTimers());

const open = (client: DynamoDBClient, tableName: string): Store => dynamoDBStore({ client, tableName });
const put = (client: DynamoDBClient, TableName: string, Item: any) =>
  client.send(new PutItemCommand({ TableName, Item }));

async function gathered(listing: Listing): Promise<Listed[]> {
  const found: Listed[] = [];
  for await (const one of listing) found.push(one);
  return found;
}

async function all(store: Store, options: ListOptions = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const { id } of list(store, { ...FAST, ...options })) found.push(id);
  return found.sort();
}

const SECONDS = NOW / 1_000;
const common = { version: 1, attempt: 1, source: 'http', claimedAt: NOW - 5_000 };
const held = { ...common, status: 'IN_PROGRESS', owner: 'o', steps: { s: { kind: 'value', body: '1' } } } as const;
const done = { ...common, status: 'COMPLETED', owner: 'o', completedAt: NOW, expiresAt: SECONDS + 60 } as const;
const declined = { name: 'Declined', message: 'no money' };

/** One of each state, and of what is near it. */
const OF_STATE: Record<State, readonly object[]> = {
  'in-doubt': [{ ...held, leaseUntil: NOW, retention: 5 }],
  stuck: [{ ...held, leaseUntil: NOW - 1, expiresAt: SECONDS + 60 }],
  'in-progress': [
    { ...held, leaseUntil: NOW + 1, expiresAt: SECONDS + 60 },
    { ...held, leaseUntil: NOW + 1, retention: 5 },
  ],
  released: [{ ...common, status: 'IN_PROGRESS', steps: {}, expiresAt: SECONDS + 60 }],
  failed: [
    { ...done, outcome: { kind: 'error', error: declined } },
    { ...done, outcome: { kind: 'value', body: '{}', error: declined } },
  ],
  completed: [
    { ...done, outcome: { kind: 'value', body: '1' } },
    { ...done, outcome: { kind: 'unavailable', body: 'why' } },
  ],
  expired: [
    { ...held, leaseUntil: NOW - 1, expiresAt: SECONDS },
    { ...done, expiresAt: SECONDS, outcome: { kind: 'value', body: '1' } },
    { ...common, status: 'IN_PROGRESS', steps: {}, expiresAt: SECONDS },
  ],
};

describe('list finds, in DynamoDB and in memory,', () => {
  const client = engineClient();
  const memory = memoryStore();
  let table: string;
  const stores = (): Store[] => [open(client, table), memory];

  const RECORDS: Record<string, readonly IdempotencyRecord[]> = {};
  for (const [state, bodies] of Object.entries(OF_STATE))
    RECORDS[state] = bodies.map((body, n) => ({ id: `${state}#${n}`, ...body }) as IdempotencyRecord);

  beforeAll(async () => {
    table = await createTable(client);
    for (const record of Object.values(RECORDS).flat()) {
      await put(client, table, toItem(record));
      await memory.write({ kind: 'insert', next: record });
    }
    await put(client, table, toChunkItem({ id: 'completed#0#r#0', bytes: Buffer.from('x'), expiresAt: SECONDS }));
  });

  it.each(Object.keys(STATES) as State[])('what is %s, and nothing else, as inspect says', async (state) => {
    const ids = RECORDS[state]?.map(({ id }) => id).sort();
    for (const store of stores()) {
      expect(await all(store, { state })).toEqual(ids);
      for (const id of ids ?? []) expect(await inspect(store, id)).toMatchObject({ state });
    }
  });

  it('what is in one of several states, and everything', async () => {
    const ids = (...states: string[]) => states.flatMap((state) => RECORDS[state]?.map(({ id }) => id) ?? []).sort();
    for (const store of stores()) {
      expect(await all(store, { state: ['stuck', 'in-doubt'] })).toEqual(ids('stuck', 'in-doubt'));
      expect(await all(store, { state: ['stuck', 'completed'] })).toEqual(ids('stuck', 'completed'));
      expect(await all(store)).toEqual(ids(...Object.keys(RECORDS)));
    }
  });

  it('and leaves values, and most of what is not sought, where they are', async () => {
    const asked: any[] = [];
    const watched = engineClient();
    watched.middlewareStack.add(
      (next, context) => async (args) => {
        const result: any = await next(args);
        if (context.commandName === 'ScanCommand') asked.push(...result.output.Items);
        return result;
      },
      { step: 'initialize' },
    );
    await all(open(watched, table), { state: 'failed' });
    expect(asked.map(({ id }) => id.S).sort()).toEqual(['completed#1', 'failed#0', 'failed#1']);
    expect(JSON.stringify(asked)).not.toContain('body');
  });
});

describe('list finds by what records say in clear', () => {
  const client = engineClient();
  let store: Store;
  const CALLER = ['jwt', 'https://issuer.example/', 'alice'];
  const claimedBy = (scope: string, key: string, more: object = {}, changes: object = {}): Claimed =>
    ({
      ...{ ...held, leaseUntil: NOW + 1, expiresAt: SECONDS + 60, steps: {} },
      id: recordId(scope, [], undefined, `${key}${JSON.stringify(more)}`),
      identity: { key, ...more },
      ...changes,
    }) as Claimed;
  const RECORDS = {
    plain: claimedBy('orders', 'k1'),
    http: claimedBy('orders', 'k1', { operation: 'POST /orders', principal: JSON.stringify(CALLER) }),
    bob: claimedBy('orders', 'k1', { operation: 'POST /orders', principal: 'bob' }),
    other: claimedBy('orders-2', 'k1'),
    old: claimedBy('orders', 'k2', {}, { claimedAt: NOW - 3_600_000 }),
    cut: claimedBy('orders', 'k3', { principal: 'carol-with-', cut: 'principal' }),
    silent: { ...claimedBy('orders', 'k4'), identity: undefined },
  };
  beforeAll(async () => {
    const table = await createTable(client);
    store = open(client, table);
    for (const record of Object.values(RECORDS)) await put(client, table, toItem(record));
  });

  it.each<[string, ListOptions, (keyof typeof RECORDS)[]]>([
    ['a scope', { scope: 'orders-2' }, ['other']],
    ['a scope that is the begin of another', { scope: 'orders', key: 'k1' }, ['plain', 'http', 'bob']],
    ['a key', { key: 'k1' }, ['plain', 'http', 'bob', 'other']],
    ['an operation', { operation: ['POST', '/orders'] }, ['http', 'bob']],
    ['no operation', { operation: [], key: 'k1' }, ['plain', 'other']],
    ['a caller', { principal: CALLER }, ['http']],
    ['a caller by a text', { principal: 'bob' }, ['bob']],
    ['nobody', { principal: false, scope: 'orders' }, ['plain', 'old']],
    ['their age', { olderThan: '1h' }, ['old']],
    ['an age that is a little more', { olderThan: 3_600_001 }, []],
    ['a caller who was cut, by all of his name', { principal: 'carol-with-a-long-name' }, ['cut']],
    ['another caller with the same begin', { principal: 'carol' }, []],
  ])('%s', async (_, options, names) => {
    expect(await all(store, options)).toEqual(names.map((name) => RECORDS[name].id).sort());
  });

  it('and gives them as they are', async () => {
    const [{ ...found }] = (await gathered(list(store, { ...FAST, principal: CALLER }))) as [any];
    expect(found).toStrictEqual({
      ...{ id: RECORDS.http.id, scope: 'orders', state: 'in-progress', cut: [], source: 'http' },
      ...{ key: 'k1', operation: 'POST /orders', principal: JSON.stringify(CALLER) },
      ...{ attempt: 1, version: 1, owner: 'o' },
      ...{ claimedAt: NOW - 5_000, leaseUntil: NOW + 1, expiresAt: NOW + 60_000 },
    });
  });
});

describe('with scope, operation, caller and key', () => {
  it('one record is read, and nothing is scanned', async () => {
    const client = engineClient();
    const table = await createTable(client);
    const store = open(client, table);
    const id = recordId('orders', ['POST', '/orders'], 'alice', 'k');
    await put(client, table, toItem({ ...(RECORD as Completed), id }));
    const sent: string[] = [];
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        (args) => {
          sent.push(commandName);
          return next(args);
        },
      { step: 'initialize' },
    );
    const whole = { scope: 'orders', operation: ['POST', '/orders'], principal: 'alice', key: 'k' };
    const listing = list(store, whole);
    expect(await listing.estimate()).toEqual({ items: 1, bytes: 0, readUnits: 1, seconds: 0 });
    expect(await gathered(listing)).toMatchObject([{ id }]);
    expect(listing.progress()).toMatchObject({ scanned: 1, readUnits: 1 });
    expect(await all(store, { ...whole, state: 'failed' })).toEqual([]);
    expect(await all(store, { ...whole, operation: [], principal: false })).toEqual([]);
    expect(new Set(sent)).toEqual(new Set(['BatchGetItemCommand']));
  });
});

const RECORD = { ...done, id: '', outcome: { kind: 'value', body: '1' } } as const;

describe('a scan', () => {
  const client = engineClient();
  let table: string;
  const COUNT = 60;
  const requests: any[] = [];
  beforeAll(async () => {
    table = await createTable(client);
    for (let n = 0; n < COUNT; n++) await put(client, table, toItem({ ...RECORD, id: `scope#${n}` }));
    client.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          if (commandName === 'ScanCommand') requests.push(args.input);
          return next(args);
        },
      { step: 'initialize' },
    );
  });
  beforeEach(() => requests.splice(0));

  it('says before what it will cost, and afterwards what it has', async () => {
    const store = open(client, table);
    const listing = list(store, FAST);
    expect(await listing.estimate()).toMatchObject({ items: COUNT });
    await gathered(listing);
    const { readUnits, scanned, token } = listing.progress();
    expect({ scanned, token }).toEqual({ scanned: COUNT, token: undefined });
    expect(readUnits).toBeGreaterThan(0);
    const large = { ...store, total: async () => ({ items: 100_000, bytes: 50_000_000 }) };
    const estimate = { items: 100_000, bytes: 50_000_000, readUnits: 6_104, seconds: 62 };
    expect(await list(large, { unitsPerSecond: 100 }).estimate()).toEqual(estimate);
  });

  it.each([1, 7, 59])('that is left after %i records goes on from its token, and gives each record once', async (n) => {
    vi.useRealTimers();
    const found: string[] = [];
    let token: string | undefined;
    do {
      const listing = list(open(client, table), { ...FAST, segments: 3, ...(token !== undefined && { from: token }) });
      let left = n;
      for await (const { id } of listing) {
        found.push(id);
        if (--left === 0) break;
      }
      token = listing.progress().token;
    } while (token !== undefined);
    expect(found).toHaveLength(COUNT);
    expect(new Set(found).size).toBe(COUNT);
  });

  it('goes through its segments side by side', async () => {
    await all(open(client, table), { segments: 5 });
    expect(new Set(requests.map(({ Segment, TotalSegments }) => `${Segment} of ${TotalSegments}`)).size).toBe(5);
  });

  it('ends when its signal aborts', async () => {
    const gone = new AbortController();
    gone.abort(new Error('enough'));
    await expect(all(open(client, table), { signal: gone.signal })).rejects.toThrow('enough');
    expect(requests).toEqual([]);
  });

  it('ends with the reason when its signal aborts while a page is on its way', async () => {
    const gone = new AbortController();
    const hanging = engineClient();
    hanging.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          if (commandName !== 'ScanCommand') return next(args);
          gone.abort(new Error('enough'));
          return new Promise(() => {});
        },
      { step: 'initialize' },
    );
    await expect(all(open(hanging, table), { segments: 1, signal: gone.signal })).rejects.toThrow('enough');
  });

  it('that nobody waits for any more sends nothing more', async () => {
    vi.useRealTimers();
    for await (const _ of list(open(client, table), { ...FAST, segments: 1, unitsPerSecond: 1 })) break;
    const { length } = requests;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(requests).toHaveLength(length);
  });

  it('tries again what is throttled', async () => {
    const failing = engineClient();
    let throttled = 0;
    failing.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          if (commandName === 'ScanCommand' && throttled++ === 0)
            throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
          return next(args);
        },
      { step: 'initialize' },
    );
    expect(await all(open(failing, table))).toHaveLength(COUNT);
    expect(throttled).toBeGreaterThan(1);
  });

  it.each<[string, any, string]>([
    ['an option it does not have', { states: 'stuck' }, '`states`'],
    ['a state that is none', { state: 'lost' }, '`state`'],
    ['no state', { state: [] }, '`state`'],
    ['a scope that is none', { scope: 'a#b' }, '`scope`'],
    ['an operation that is a text', { operation: 'POST /orders' }, '`operation`'],
    ['an empty caller', { principal: '' }, '`principal`'],
    ['an age that is none', { olderThan: 'old' }, '`olderThan`'],
    ['a token that is none', { from: 'abc' }, '`from`'],
    ['an empty token', { from: Buffer.from('[]').toString('base64url') }, '`from`'],
    ['a token of numbers', { from: Buffer.from('[1]').toString('base64url') }, '`from`'],
    ['no units', { unitsPerSecond: 0 }, '`unitsPerSecond`'],
    ['too many segments', { segments: 101 }, '`segments`'],
    ['a signal that is none', { signal: true }, '`signal`'],
  ])('is refused with %s', async (_, options, named) => {
    const tried = async () => gathered(list(memoryStore(), options));
    await expect(tried()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(named) });
  });

  it('is MISUSE on a store that cannot be scanned, or read', async () => {
    const { scan, total, read, ...store } = memoryStore();
    const whole = { scope: 'a', operation: [], principal: false, key: 'k' } as const;
    await expect(all(store)).rejects.toMatchObject({ code: 'MISUSE', message: 'this store cannot be scanned' });
    await expect(list(store).estimate()).rejects.toMatchObject({ code: 'MISUSE' });
    await expect(all(store, whole)).rejects.toMatchObject({ code: 'MISUSE', message: 'this store cannot be read' });
  });
});

describe('what is no record', () => {
  const client = engineClient();
  const POWERTOOLS = (n: number) => ({ id: { S: `charge#${n}` }, status: { S: 'COMPLETED' }, expiration: { N: '1' } });

  it('is counted by what it is, and not listed, whatever is sought', async () => {
    const table = await createTable(client);
    const record = toItem({ ...RECORD, id: 'ours#1' });
    await put(client, table, record);
    await put(client, table, POWERTOOLS(1));
    await put(client, table, { ...record, id: { S: 'newer#1' }, format: { N: '2' } });
    await put(client, table, { ...record, id: { S: 'damaged#1' }, attempt: { S: 'one' } });
    for (const options of [{}, { state: 'completed' as const }]) {
      const listing = list(open(client, table), { ...FAST, ...options });
      expect((await gathered(listing)).map(({ id }) => id)).toEqual(['ours#1']);
      expect(listing.progress()).toMatchObject({
        ...{ scanned: 4, foreign: 1, newer: 1, damaged: 1 },
        why: expect.stringMatching(/^the record ".*" (was not written by this version|is damaged)/),
      });
    }
  });

  it.each<[string, object, readonly ListOptions[]]>([
    ['status', { status: undefined }, [{ state: 'stuck' }, { state: 'completed' }, { state: ['failed', 'released'] }]],
    ['status of another kind', { status: { N: '1' } }, [{ state: 'stuck' }, { state: 'completed' }]],
    ['status that is none', { status: { S: 'LOST' } }, [{ state: 'stuck' }, { state: 'failed' }]],
    ['owner', { owner: undefined }, [{ state: 'stuck' }, { state: 'released' }]],
    ['owner, and in doubt', { owner: undefined, expiresAt: undefined }, [{ state: 'in-doubt' }]],
    ['owner of another kind', { owner: { N: '1' } }, [{ state: 'stuck' }]],
    ['lease', { leaseUntil: undefined }, [{ state: 'stuck' }, { state: 'in-progress' }]],
    ['lease of another kind', { leaseUntil: { S: '1' } }, [{ state: 'stuck' }, { state: 'in-progress' }]],
    ['expiry of another kind', { expiresAt: { S: '1' } }, [{ state: 'stuck' }, { state: 'expired' }]],
    ['claim', { claimedAt: undefined }, [{ state: 'stuck' }, { olderThan: '1h' }]],
    ['claim of another kind', { claimedAt: { S: '1' } }, [{ olderThan: '1h' }]],
    ['outcome', { status: { S: 'COMPLETED' } }, [{ state: 'completed' }, { state: 'failed' }]],
    [
      'error',
      { status: { S: 'COMPLETED' }, outcome: { M: { kind: { S: 'error' } } } },
      [{ state: 'failed' }, { state: ['failed', 'completed'] }],
    ],
  ])('is counted if its damage hides whether it is sought: by a %s', async (_, damage, searches) => {
    const table = await createTable(client);
    const stuck = { ...held, id: 'charge#1', leaseUntil: NOW - 1, expiresAt: SECONDS + 60 } as Claimed;
    const item = { ...toItem(stuck), ...damage };
    await put(client, table, Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)));
    await put(client, table, toChunkItem({ id: 'charge#1#r#0', bytes: Buffer.from('x'), expiresAt: SECONDS }));
    for (const sought of searches) {
      const listing = list(open(client, table), { ...FAST, ...sought });
      expect(await gathered(listing)).toEqual([]);
      expect(listing.progress()).toMatchObject({ damaged: 1, why: expect.stringContaining('is damaged') });
    }
  });

  it.each([
    ['few', 3, 3],
    ['many', 250, 150],
  ])("is another tool's table, if there is nothing else: of %s items", async (_, count, most) => {
    const table = await createTable(client);
    for (let n = 0; n < count; n++) await put(client, table, POWERTOOLS(n));
    const listing = list(open(client, table), { segments: 1, unitsPerSecond: 120 });
    vi.useRealTimers();
    await expect(gathered(listing)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('its items were written by another tool'),
    });
    expect(listing.progress().scanned).toBeLessThanOrEqual(most);
    const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
    expect(Items).toHaveLength(count);
  });
});

it('a table that does not exist is CONFIG_INVALID', async () => {
  await expect(all(open(engineClient(), 'nowhere'))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'table "nowhere" does not exist in the region and account of this client',
  });
});
