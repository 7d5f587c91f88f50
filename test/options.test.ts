import { idempotent, idempotentBatch, memoryStore, runOnce } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { lambdaContext } from './ways.ts';

const store = memoryStore();
afterEach(() => vi.unstubAllEnvs());

const BUILDERS: [string, (options: any) => unknown][] = [
  ['idempotent', (options) => idempotent(async () => 1, options)],
  ['idempotency', (options) => idempotency(options)],
  ['idempotentBatch', (options) => idempotentBatch(async () => 1, options)],
];
const invalid = (named: string) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', retryable: false, message: expect.stringContaining(named) });

const BAD: [object, string][] = [
  [{ keys: () => 'k' }, '`keys`'],
  [{ mode: 'fast' }, '`mode`'],
  [{ onUnknown: 'guess' }, '`onUnknown`'],
  [{ codec: {} }, '`codec`'],
  [{ codec: { name: 'mine', encode: () => {} } }, '`codec`'],
  [{ codec: { name: 'v8', encode: () => {}, decode: () => {} } }, '`codec`'],
  [{ store: {} }, '`store`'],
  [{ store: { insert: () => {} } }, '`store`'],
  [{ store: undefined }, '`store`'],
  [{ scope: '' }, '`scope`'],
  [{ scope: 5 }, '`scope`'],
  ...['a#b', 'a*', 'a?', '$a'].map((scope): [object, string] => [{ scope }, 'without # * ? $']),
  [{ retention: '5 parsecs' }, '`retention`'],
  [{ retention: -1 }, '`retention`'],
  [{ retention: 0 }, '`retention`'],
  [{ retention: Number.NaN }, '`retention`'],
  [{ lease: '1.5s' }, '`lease`'],
  [{ lease: '0s' }, '`lease`'],
  [{ lease: {} }, '`lease`'],
  [{ lease: null }, '`lease`'],
  [{ lease: 10n }, '`lease`'],
  [{ clockSkew: '1 s' }, '`clockSkew`'],
  [{ onConflict: 'queue' }, '`onConflict`'],
  [{ onMissingKey: 'skip' }, '`onMissingKey`'],
  [{ isTerminal: true }, '`isTerminal`'],
  [{ isOutcome: [200] }, '`isOutcome`'],
  [{ onReplay: true }, '`onReplay` of'],
  [{ keepIdentity: 'no' }, '`keepIdentity`'],
];
const BAD_OF_HANDLERS: [object, string][] = [
  [{ key: 'detail.orderId' }, '`key`'],
  [{ principal: 'alice' }, '`principal`'],
  [{ fingerprint: true }, '`fingerprint`'],
];

describe.each(BUILDERS)('%s refuses, when it is built,', (_, build) => {
  it.each([...BAD, ...BAD_OF_HANDLERS])('%o', (options, named) => {
    expect(() => build({ store, ...options })).toThrow(invalid(named));
  });

  it.each([undefined, null, 'store'])('%o for options', (options) => {
    expect(() => build(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it("a retention below the environment's", () => {
    vi.stubEnv('IDEMPOTENCY_RETENTION', '18d');
    expect(() => build({ store, retention: '24h' })).toThrow(invalid('IDEMPOTENCY_RETENTION'));
    expect(() => build({ store, retention: '18d' })).not.toThrow();
    expect(() => build({ store })).not.toThrow();
  });

  it.each([
    ['IDEMPOTENCY_RETENTION', 'soon'],
    ['IDEMPOTENCY_RETENTION', '0s'],
    ['IDEMPOTENCY_FUNCTION_TIMEOUT', 'soon'],
    ['IDEMPOTENCY_FUNCTION_TIMEOUT', '0s'],
  ])('a %s of %s', (name, value) => {
    vi.stubEnv(name, value);
    expect(() => build({ store })).toThrow(invalid(name));
  });

  it('nothing that is undefined', () => {
    expect(() => build({ store, key: undefined, lease: undefined, retention: undefined })).not.toThrow();
  });
});

describe('a function to wrap is needed', () => {
  it.each([undefined, null, 'handler'])('not %o', async (handler: any) => {
    const refused = invalid('expects a function');
    expect(() => idempotent(handler, { store })).toThrow(refused);
    expect(() => idempotentBatch(handler, { store })).toThrow(refused);
    await expect(runOnce({ store, scope: 's', key: 'k', lease: '1s' }, handler)).rejects.toEqual(refused);
  });
});

describe('runOnce refuses, before anything is claimed,', () => {
  const run = vi.fn(() => 1);
  it.each([...BAD, [{ scope: undefined }, '`scope`'], [{ lease: undefined }, '`lease`']] as [object, string][])(
    '%o',
    async (options, named) => {
      const call = runOnce({ store, scope: 's', key: 'k', lease: '1s', ...options } as any, run);
      await expect(call).rejects.toEqual(invalid(named));
      expect(run).not.toHaveBeenCalled();
    },
  );

  it.each([new Map(), { big: 1n }, [Number.NaN], () => 1])('the payload %o', async (payload) => {
    await expect(runOnce({ store, scope: 's', key: 'k', lease: '1s', payload }, run)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    expect(run).not.toHaveBeenCalled();
  });
});

describe('scope', () => {
  const handler = (options = {}) => idempotent(async () => 1, { store: memoryStore(), key: () => 'k', ...options });

  it('is IDEMPOTENCY_SCOPE, else the name of the function, and asked for at the first request', async () => {
    const unset = handler();
    await expect(unset({}, lambdaContext())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('`scope`'),
    });
    vi.stubEnv('IDEMPOTENCY_SCOPE', 'a#b');
    await expect(unset({}, lambdaContext())).rejects.toThrow(invalid('IDEMPOTENCY_SCOPE'));
    vi.stubEnv('IDEMPOTENCY_SCOPE', undefined);
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'function');
    expect(await unset({}, lambdaContext())).toBe(1);
  });

  it('keeps operations apart that share a store and a key (A8, A14)', async () => {
    const shared = memoryStore();
    const of = (scope: string) => runOnce({ store: shared, scope, key: 'k', lease: '1s' }, async () => scope);
    expect(await Promise.all([of('a'), of('b')])).toEqual(['a', 'b']);
    expect(await Promise.all([of('a'), of('b')])).toEqual(['a', 'b']);
  });

  it('keeps what separators would join apart', async () => {
    const shared = memoryStore();
    const of = (scope: string, key: string) =>
      runOnce({ store: shared, scope, key, lease: '1s' }, async () => `${scope}|${key}`);
    expect(await of('a,b', 'c')).toBe('a,b|c');
    expect(await of('a', 'b,c')).toBe('a|b,c');
  });
});

describe('an event of no known source', () => {
  it('needs the option `key`, and says so', async () => {
    const handler = idempotent(async () => 1, { store, scope: 's' });
    await expect(handler({ order: 1 }, lambdaContext())).rejects.toMatchObject({
      code: 'KEY_MISSING',
      message: expect.stringContaining('`key`'),
    });
  });

  it('of EventBridge has its id, and its detail for the payload', async () => {
    const handler = idempotent(async () => crypto.randomUUID(), { store, scope: 'events' });
    const event = { id: 'e-1', source: 'shop', 'detail-type': 'OrderPlaced', detail: { orderId: 1 }, time: '1' };
    const first = await handler(event, lambdaContext());
    expect(await handler({ ...event, time: '2' }, lambdaContext())).toBe(first);
    await expect(handler({ ...event, detail: { orderId: 2 } }, lambdaContext())).rejects.toMatchObject({
      code: 'MISMATCH',
    });
    expect(await handler({ ...event, id: 'e-2' }, lambdaContext())).not.toBe(first);
  });

  it('is not compared with nothing, where its payload is missing', async () => {
    const options = {
      store,
      scope: 'missing',
      key: () => 'k',
      fingerprint: (event: { amount?: number }) => event.amount,
    };
    const handler = idempotent(async () => 1, options);
    await handler({ amount: 1 }, lambdaContext());
    await expect(handler({}, lambdaContext())).rejects.toMatchObject({ code: 'MISMATCH' });
  });

  it('has all of itself for the payload, but with `fingerprint: false` nothing is compared', async () => {
    const key = () => 'plain';
    const strict = idempotent(async (event: { a: number }) => event.a, { store, scope: 'strict', key });
    await strict({ a: 1 }, lambdaContext());
    await expect(strict({ a: 2 }, lambdaContext())).rejects.toMatchObject({ code: 'MISMATCH' });
    const loose = idempotent(async (event: { a: number }) => event.a, {
      store,
      scope: 'loose',
      key,
      fingerprint: false,
    });
    expect([await loose({ a: 1 }, lambdaContext()), await loose({ a: 2 }, lambdaContext())]).toEqual([1, 1]);
  });
});
