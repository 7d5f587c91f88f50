import {
  type Codec,
  dynamoDBStore,
  IdempotencyError,
  memoryStore,
  type Outcome,
  runOnce,
  type Store,
  TerminalError,
} from 'effectively-once';
import { resolve } from 'effectively-once/operator';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { isOutage } from '../src/values/outage.ts';
import { createTable, engineClient } from './engine.ts';

let tableName: string;
beforeAll(async () => {
  tableName = await createTable(engineClient());
});
let key: string;
beforeEach(() => {
  key = crypto.randomUUID();
});

/** A stand-in for a cipher, which knows a class besides. */
class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}
const turned = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff);
const codec: Codec = {
  name: 'turned',
  encode: (value) => {
    if (value === 'unspeakable') throw new Error('never');
    return turned(Buffer.from(JSON.stringify(value instanceof Money ? { $money: value.cents } : { is: value })));
  },
  decode: (bytes) => {
    const { is, $money } = JSON.parse(Buffer.from(turned(bytes)).toString());
    bytes.fill(0); // its own to spoil
    return $money === undefined ? is : new Money($money);
  },
};

const run = (fn: () => unknown, options = {}) =>
  runOnce(
    {
      store: dynamoDBStore({ client: engineClient(), tableName }),
      scope: 'test',
      key,
      lease: '10s',
      codec,
      ...options,
    },
    fn,
  );

describe('the option codec', () => {
  it.each([new Money(5), undefined, 'text', 'x'.repeat(50_000)])(
    'writes and reads values in its own way: %o',
    async (value) => {
      await run(() => value);
      for (let time = 0; time < 2; time++) expect(await run(() => 'never')).toStrictEqual(value);
    },
  );

  it('writes terminal errors, too', async () => {
    await run(() => Promise.reject(Object.assign(new TerminalError('declined'), { reason: 'no money' }))).catch(
      () => {},
    );
    await expect(run(() => 'never')).rejects.toMatchObject({ message: 'declined', reason: 'no money' });
  });

  it('lets nobody read what it wrote who does not know it: the effect is done all the same', async () => {
    await run(() => 'secret');
    const unreadable = { code: 'RESULT_UNAVAILABLE', message: expect.stringContaining('"turned"') };
    await expect(run(() => 'never', { codec: undefined })).rejects.toMatchObject(unreadable);
  });

  it('does not keep anybody from reading what was written before it', async () => {
    await run(() => ({ plain: 1n }), { codec: undefined });
    expect(await run(() => 'never')).toEqual({ plain: 1n });
  });

  it('may refuse a value, which is recorded as done without it', async () => {
    expect(await run(() => 'unspeakable')).toBe('unspeakable');
    await expect(run(() => 'never')).rejects.toMatchObject({ code: 'RESULT_UNAVAILABLE' });
  });

  it('that cannot read makes a value unavailable, and never a rerun', async () => {
    await run(() => 'text');
    const broken = { ...codec, decode: () => JSON.parse('{') };
    await expect(run(() => 'never', { codec: broken })).rejects.toMatchObject({ code: 'RESULT_UNAVAILABLE' });
  });

  it.each([
    ['a promise', () => Promise.resolve(Uint8Array.of(1))],
    ['null', () => null],
    ['undefined', () => undefined],
    ['a text', () => 'text'],
    [
      'a long complaint',
      () => {
        throw new Error('x'.repeat(500_000));
      },
    ],
    [
      'a symbol',
      () => {
        throw Symbol('no');
      },
    ],
  ])('that gives no bytes but %s has a value recorded as done without it', async (_, encode) => {
    let runs = 0;
    const broken = { ...codec, encode };
    const count = () => run(() => ++runs, { codec: broken });
    expect(await count()).toBe(1);
    await expect(count()).rejects.toMatchObject({
      code: 'RESULT_UNAVAILABLE',
      message: expect.not.stringContaining('xxx'),
    });
    expect(runs).toBe(1);
  });

  it('may use one buffer for all it writes', async () => {
    const buffer = Buffer.alloc(6);
    const reusing = { name: 'reusing', encode: (value: unknown) => buffer.fill(String(value)), decode: String };
    const store = memoryStore();
    const both = (key: string, value: string) => run(() => value, { codec: reusing, key, store });
    expect([await both('1', 'first.'), await both('2', 'second')]).toEqual(['first.', 'second']);
    expect([await both('1', 'never.'), await both('2', 'never.')]).toEqual(['first.', 'second']);
  });

  it('of an operator writes what is known to have happened', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const store = memoryStore();
    const dead = Promise.withResolvers<void>();
    run(() => dead.resolve() ?? new Promise(() => {}), { store, onUnknown: 'refuse' });
    await dead.promise;
    vi.setSystemTime(Date.now() + 12_000);
    const { id }: any = await run(() => 'never', { store, onUnknown: 'refuse' }).catch((error) => error);
    await resolve(store, id, { value: new Money(7) }, { codec });
    expect(await run(() => 'never', { store })).toEqual(new Money(7));
    vi.useRealTimers();
  });
});

describe('what structured clone wrote', () => {
  // By Node 22.
  const written =
    '/w9vIgJhdEQAAAAAAAAAACIDYmlnWhABAAAAAAAAACIDbWFwO0kCJ0kELAE6AiIFYnl0ZXNcAQIBAiIEbm9uZV8iBWVycm9yclRtIgJub2MiA3doeS57Bg==';

  it('is read by later versions of Node', async () => {
    const store = memoryStore();
    await run(() => 0n, { store, codec: undefined });
    const outcome: Outcome = { kind: 'value', codec: 'v8', body: Buffer.from(written, 'base64') };
    const aged: Store = {
      ...store,
      write: async (write) => ({ done: false, found: { ...(write as any).next, status: 'COMPLETED', outcome } }),
    };
    expect(await run(() => 'never', { store: aged, codec: undefined })).toEqual({
      at: new Date(0),
      big: 1n,
      map: new Map([[1, new Set([2])]]),
      bytes: Uint8Array.of(1, 2),
      none: undefined,
      error: new TypeError('no', { cause: 'why' }),
    });
  });
});

describe('an outage', () => {
  const error = (more: object) => Object.assign(new Error('down'), more);
  it.each([
    error({ status: 503 }),
    error({ statusCode: 500 }),
    error({ status: 408 }),
    error({ status: 429 }),
    error({ $metadata: { httpStatusCode: 502 } }),
    error({ $retryable: { throttling: true } }),
    error({ name: 'ThrottlingException' }),
    error({ name: 'TimeoutError' }),
    error({ code: 'ECONNRESET' }),
    error({ response: { status: 503 } }),
    new TypeError('fetch failed', { cause: error({ code: 'UND_ERR_SOCKET' }) }),
    new DOMException('timed out', 'TimeoutError'),
    { status: 503 },
    new IdempotencyError('STORE_UNAVAILABLE', 'no answer'),
  ])('is %o', (thrown) => expect(isOutage(thrown)).toBe(true));

  it.each([
    error({ status: 400 }),
    error({ code: 'ERR_INVALID_ARG' }),
    new TypeError('no'),
    'down',
    undefined,
    null,
    503,
    new IdempotencyError('CONFIG_INVALID', 'no'),
  ])('is not %o', (thrown) => expect(isOutage(thrown)).toBe(false));
});
