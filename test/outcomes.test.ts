import { randomBytes } from 'node:crypto';
import { dynamoDBStore, type Execution, TerminalError } from 'effectively-once';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { isDown, losesAnswer, neverAnswers, refuses } from './faults.ts';
import { type Request, refused, type Seen, WAYS, type WayOptions } from './ways.ts';
import { LEASE_MS, worldOfTests } from './world.ts';

const world = worldOfTests('one table');

describe.each(WAYS)('$name', ({ build, name, saw }) => {
  let request: Request;
  let runs: Execution[];
  beforeEach(() => {
    request = { key: crypto.randomUUID(), payload: { amount: 1 } };
    runs = [];
  });

  const way = (handler: (execution: Execution) => unknown, options: Partial<WayOptions> = {}) =>
    build(
      (execution) => {
        runs.push(execution);
        return handler(execution);
      },
      { store: world.store(), ...options },
    );

  /** A handler that is stopped until the test lets it go. */
  const stopped = (options: Partial<WayOptions> = {}) => {
    let enter = (_: PromiseWithResolvers<unknown>): void => {};
    const call = way(() => {
      const gate = Promise.withResolvers();
      enter(gate);
      return gate.promise;
    }, options);
    /** Begins a run and comes back when it is inside the handler. */
    const begin = async (): Promise<{ answer: Promise<Seen>; gate: PromiseWithResolvers<unknown> }> => {
      const entered = new Promise<PromiseWithResolvers<unknown>>((resolve) => {
        enter = resolve;
      });
      const answer = call(request);
      return { answer, gate: await entered };
    };
    return { call, begin };
  };

  it('runs the first request', async () => {
    expect(await way(() => ({ id: 7 }))(request)).toEqual(saw({ id: 7 }));
    expect(runs).toMatchObject([{ key: request.key, attempt: 1 }]);
  });

  it('answers a duplicate with the recorded outcome, without a run', async () => {
    const call = way(() => ({ run: runs.length }));
    await call(request);
    expect(await call(request)).toEqual(saw({ run: 1 }));
    expect(runs).toHaveLength(1);
  });

  it('refuses a concurrent duplicate, which may come back in a second', async () => {
    const { call, begin } = stopped();
    const { answer, gate } = await begin();
    expect(await call(request)).toEqual(refused('CONFLICT', { retryable: true, retryAfterMs: 1_000 }));
    gate.resolve('first');
    expect(await answer).toEqual(saw('first'));
    expect(await call(request)).toEqual(saw('first'));
    expect(runs).toHaveLength(1);
  });

  it("lets a concurrent duplicate wait for the outcome, with onConflict: 'wait'", async () => {
    const { call, begin } = stopped({ onConflict: 'wait' });
    const { answer, gate } = await begin();
    const duplicates = [call(request), call(request)];
    setTimeout(() => gate.resolve('first'), 80);
    expect(await Promise.all([answer, ...duplicates])).toEqual([saw('first'), saw('first'), saw('first')]);
    expect(runs).toHaveLength(1);
  });

  it('refuses another payload under the key, in flight and afterwards', async () => {
    const { call, begin } = stopped();
    const other = { ...request, payload: { amount: 2 } };
    const { answer, gate } = await begin();
    expect(await call(other)).toEqual(refused('MISMATCH', { retryable: false }));
    gate.resolve('first');
    await answer;
    expect(await call(other)).toEqual(refused('MISMATCH'));
    expect(await call(request)).toEqual(saw('first'));
    expect(runs).toHaveLength(1);
  });

  it.each([undefined, null, '', '  '])('refuses a request whose key is %o', async (key) => {
    expect(await way(() => 1)({ ...request, key: key as string })).toEqual(
      refused('KEY_MISSING', { retryable: false }),
    );
    expect(runs).toHaveLength(0);
  });

  it.each([{ id: 1 }, ['a', undefined], 'x'.repeat(10_000), 'a\u0000b'])(
    'refuses a key that is none: %o',
    async (key) => {
      expect(await way(() => 1)({ ...request, key: key as string })).toEqual(
        refused('KEY_INVALID', { retryable: false }),
      );
      expect(runs).toHaveLength(0);
    },
  );

  it.each([0, false])('takes %o for a key', async (key) => {
    await way(() => 1, { scope: crypto.randomUUID() })({ key: key as unknown as string });
    expect(runs).toMatchObject([{ key: String(key) }]);
  });

  it("runs unprotected without a key, with onMissingKey: 'run'", async () => {
    const call = way(() => runs.length, { onMissingKey: 'run' });
    expect([await call({}), await call({})]).toEqual([saw(1), saw(2)]);
    expect(runs).toMatchObject([{ key: undefined }, { key: undefined }]);
    expect(world.aws().requests()).toBe(0);
  });

  it('runs again after a retryable error, which the caller gets as it is', async () => {
    const failure = new Error('provider is away');
    const call = way(({ attempt }) => {
      if (attempt === 1) throw failure;
      return 'done';
    });
    expect(await call(request)).toEqual({ error: failure });
    expect(await call(request)).toEqual(saw('done'));
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('records a terminal error, and throws it again at a duplicate', async () => {
    const declined = Object.assign(new TerminalError('declined'), { statusCode: 402, name: 'CardDeclined' });
    const call = way(() => Promise.reject(declined));
    expect(await call(request)).toEqual({ error: declined });
    const { error } = (await call(request)) as { error: Error };
    expect(error).toBeInstanceOf(TerminalError);
    expect(error).toMatchObject({ name: 'CardDeclined', message: 'declined', statusCode: 402 });
    expect(runs).toHaveLength(1);
  });

  it('asks isTerminal once of an error', async () => {
    const isTerminal = vi.fn(() => isTerminal.mock.calls.length > 1);
    const call = way(() => Promise.reject(new Error('no')), { isTerminal });
    expect(await call(request)).toMatchObject({ error: { message: 'no' } });
    expect(isTerminal).toHaveBeenCalledTimes(1);
    expect(await way(() => 'free')(request)).toEqual(saw('free'));
  });

  it('records what isTerminal says is terminal, also what is no Error', async () => {
    const call = way(() => Promise.reject('no'), { isTerminal: (error) => error === 'no' });
    expect([await call(request), await call(request)]).toEqual([{ error: 'no' }, { error: 'no' }]);
    expect(runs).toHaveLength(1);
  });

  it('runs again after a value that is no outcome, which a batch reports as failed', async () => {
    const call = way(() => runs.length, { isOutcome: (value) => value === 2 });
    const first =
      name === 'idempotentBatch'
        ? { error: expect.objectContaining({ message: expect.stringContaining('no outcome') }) }
        : saw(1);
    expect([await call(request), await call(request), await call(request)]).toEqual([first, saw(2), saw(2)]);
  });

  it('replays a result that is undefined', async () => {
    const call = way(() => undefined);
    expect([await call(request), await call(request)]).toEqual([saw(undefined), saw(undefined)]);
    expect(runs).toHaveLength(1);
  });

  it.each([
    ['a Date', { at: new Date(0) }],
    ['a Map', new Map([[1, { of: new Set([2]) }]])],
    ['a BigInt', { big: 1n }],
    ['NaN', [Number.NaN, Number.NEGATIVE_INFINITY]],
    ['minus zero', [-0]],
    ['an array with members of its own', 'a'.match(/a/)],
    ['an array with holes', Object.assign(new Array(3), { 1: 'b' })],
    ['an array with a hole and a member of its own', Object.assign(new Array(2), { 1: 'b', x: 1 })],
    ['a cycle', cycle()],
    ['undefined in an array', [undefined]],
    ['a member that is undefined', { a: 1, b: undefined }],
    ['bytes', { bytes: Uint8Array.of(1, 2), words: Uint16Array.of(3), buffer: Buffer.from('ü') }],
    ['a pattern', /a+/gi],
    ['any other error', [new RangeError('a'), new SyntaxError('b'), new EvalError('c'), new URIError('d')]],
    ['bare bytes', new ArrayBuffer(3)],
    ['an error that is a value', { reason: new TypeError('no', { cause: new Error('why') }) }],
    ['half a megabyte', 'x'.repeat(500_000)],
    ['bytes that cannot be compressed', randomBytes(100_000)],
    ['an object of six megabytes', { body: randomBytes(4_400_000).toString('base64') }],
  ])('replays %s as it was', async (_, value) => {
    const call = way(() => value);
    const first = await call(request);
    const second = await call(request);
    expect(first).toStrictEqual(saw(value));
    expect(second).toStrictEqual(saw(value));
    expect(Object.getPrototypeOf(Object(given(second)))).toBe(Object.getPrototypeOf(Object(given(first))));
    expect(runs).toHaveLength(1);
  });

  it.each([
    ['a member named by a symbol', { [Symbol('s')]: 1 }],
    ['a function', () => 1],
    ['a function below', { do: new Map([[1, () => 1]]) }],
    ['a class instance', new (class Receipt {})()],
    ['a class instance below', { reason: [new Set([new (class Receipt {})()])] }],
    ['an error that carries more than errors do', Object.assign(new Error('no'), { code: 1 })],
    ['an error with a name of its own', Object.assign(new Error('no'), { name: 'Odd' })],
    ['a Map with a member of its own', Object.assign(new Map(), { x: 1 })],
    ['bytes of a class of its own', new (class Bytes extends Uint8Array {})(2)],
    ['a member that cannot be seen', Object.defineProperty({}, 'x', { value: 1, enumerable: false })],
    ['an error of a class of its own', { reason: new TerminalError('no') }],
    ['an error with such a cause', new Error('no', { cause: new TerminalError('no') })],
    ['more than eight megabytes', 'x'.repeat(8 * 1024 * 1024)],
  ])(
    'records %s as done without value: the caller gets it, duplicates are refused, nothing runs again',
    async (_, value) => {
      const call = way(() => value);
      expect(await call(request)).toEqual(saw(value));
      const duplicate =
        name === 'idempotentBatch' ? { done: true } : refused('RESULT_UNAVAILABLE', { retryable: false });
      expect(await call(request)).toEqual(duplicate);
      expect(runs).toHaveLength(1);
    },
  );

  it.each([
    ['an error', new Error('no')],
    ['what is no error', Object.create(null)],
  ])('records a value as done without it when reading it throws %s', async (_, thrown) => {
    const value = {
      get secret() {
        throw thrown;
      },
    };
    const call = way(() => value);
    expect(await call(request)).not.toHaveProperty('error');
    await call(request);
    expect(runs).toHaveLength(1);
  });

  it('keeps an object that is in many places as one', async () => {
    const call = way(doubled);
    await call(request);
    let value: any = given(await call(request));
    if (name === 'idempotentBatch') return; // nobody is answered
    for (let level = 0; level < 40; level++, value = value.a) expect(value.a).toBe(value.b);
  });

  it('tells nobody what was in a value that was not kept', async () => {
    const call = way(() => ({ charge: () => 'sk_live_123' }));
    await call(request);
    const second = await call(request);
    if (name !== 'idempotentBatch') expect(second).toEqual(refused('RESULT_UNAVAILABLE'));
    expect(String('error' in second && second.error.message)).not.toContain('sk_live');
  });

  it('hands out bytes that lie beside nothing else in memory', async () => {
    const call = way(() => ({ bytes: Uint8Array.of(1, 2) }));
    await call(request);
    const second: any = given(await call(request));
    if (name !== 'idempotentBatch') expect(second.bytes.buffer.byteLength).toBe(2);
  });

  it('records of a terminal error what can be kept: its members, its name and its cause', async () => {
    const cause = new Error('why');
    const declined = Object.assign(new TerminalError('declined', { cause }), {
      code: 'E1',
      retry: () => 1,
      name: 'Declined',
    });
    const call = way(() => Promise.reject(declined));
    await call(request);
    const { error } = (await call(request)) as { error: any };
    expect(error).toMatchObject({ message: 'declined', code: 'E1', cause: { message: 'why' }, name: 'Declined' });
    expect(error).not.toHaveProperty('retry');
  });

  it("tells a stale run's terminal error to nobody while the run that took over is under way: it is not the outcome", async () => {
    const { begin } = stopped();
    const first = await begin();
    world.wait(LEASE_MS);
    const second = await begin();
    first.gate.reject(new TerminalError('declined'));
    expect(await first.answer).toEqual(
      refused('LEASE_LOST', { cause: expect.objectContaining({ message: 'declined' }) }),
    );
    second.gate.resolve('second');
    expect(await second.answer).toEqual(saw('second'));
  });

  it.each([
    ['before', 1],
    ['after', 2],
  ])(
    'runs nothing until the lease is over when the process dies %s the effect, then runs again: %i effects',
    async (dies, total) => {
      let effects = 0;
      const dead = Promise.withResolvers<void>();
      const call = way(async ({ attempt }) => {
        if (attempt > 1 || dies === 'after') effects++;
        if (attempt > 1) return 'second';
        dead.resolve();
        return new Promise(() => {}); // and is never heard of again
      });
      call(request);
      await dead.promise;
      world.wait(LEASE_MS - 1);
      expect(await call(request)).toEqual(refused('CONFLICT'));
      world.wait(1);
      expect(await call(request)).toEqual(saw('second'));
      expect(await call(request)).toEqual(saw('second'));
      expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
      expect(effects).toBe(total);
    },
  );

  it('adopts the outcome of the run that took over, and changes nothing', async () => {
    const { begin, call } = stopped();
    const first = await begin();
    world.wait(LEASE_MS);
    const second = await begin();
    second.gate.resolve('second');
    expect(await second.answer).toEqual(saw('second'));
    first.gate.resolve('first');
    expect(await first.answer).toEqual(saw('second'));
    expect(await call(request)).toEqual(saw('second'));
  });

  it('adopts it also where the stale run fails', async () => {
    const { begin } = stopped();
    const first = await begin();
    world.wait(LEASE_MS);
    const second = await begin();
    second.gate.resolve('second');
    await second.answer;
    first.gate.reject(new Error('late'));
    expect(await first.answer).toEqual(saw('second'));
  });

  it('tells a stale run to come back while the run that took over is under way', async () => {
    const { begin } = stopped();
    const first = await begin();
    world.wait(LEASE_MS);
    const second = await begin();
    first.gate.resolve('first');
    expect(await first.answer).toEqual(refused('LEASE_LOST', { retryable: true }));
    second.gate.resolve('second');
    expect(await second.answer).toEqual(saw('second'));
  });

  it("throws a stale run's own error while the run that took over is under way", async () => {
    const { begin } = stopped();
    const first = await begin();
    world.wait(LEASE_MS);
    const second = await begin();
    first.gate.reject(new Error('mine'));
    expect(await first.answer).toEqual({ error: new Error('mine') });
    second.gate.resolve('second');
    expect(await second.answer).toEqual(saw('second'));
  });

  it('takes a key whose outcome has expired for a new one, though the record is still there', async () => {
    const call = way(() => runs.length, { retention: '1h' });
    await call(request);
    world.wait(3_600_000 - 1_000);
    expect(await call(request)).toEqual(saw(1));
    world.wait(2_000);
    expect(await call({ ...request, payload: 'another' })).toEqual(saw(2));
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('runs nothing when the store is down at the claim', async () => {
    world.aws().next('PutItem', ...isDown);
    const call = way(() => 1);
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE', { retryable: true, retryAfterMs: 1_000 }));
    expect(runs).toHaveLength(0);
    expect(await call(request)).toEqual(saw(1));
  });

  it('gives the value when the store is down at the completion, and refuses duplicates until the lease is over', async () => {
    world.aws().next('UpdateItem', ...isDown);
    const call = way(() => runs.length);
    expect(await call(request)).toEqual(saw(1));
    expect(process.emitWarning).toHaveBeenCalledWith(
      expect.stringContaining('completion-failed'),
      'IdempotencyWarning',
    );
    expect(await call(request)).toEqual(refused('CONFLICT'));
    world.wait(LEASE_MS);
    expect(await call(request)).toEqual(saw(2));
  });

  it('throws the error of the handler, not of the store, when the store is down at the release', async () => {
    world.aws().next('UpdateItem', ...isDown);
    const failure = new Error('provider is away');
    expect(await way(() => Promise.reject(failure))(request)).toEqual({ error: failure });
  });

  it('recognises its own claim when the answer was lost and the SDK sent it again', async () => {
    world.aws().next('PutItem', losesAnswer, losesAnswer);
    expect(await way(() => 1)(request)).toEqual(saw(1));
    expect(runs).toMatchObject([{ attempt: 1 }]);
    expect(world.aws().requests()).toBe(4);
  });

  it('recognises its own takeover when the answer was lost and the SDK sent it again', async () => {
    const { begin } = stopped();
    await begin();
    world.wait(LEASE_MS);
    world.aws().next('PutItem', (apply) => apply(), losesAnswer);
    const { gate, answer } = await begin();
    gate.resolve('second');
    expect(await answer).toEqual(saw('second'));
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('recognises its own completion when the answer was lost and the SDK sent it again', async () => {
    world.aws().next('UpdateItem', losesAnswer, losesAnswer);
    const call = way(() => runs.length);
    expect([await call(request), await call(request)]).toEqual([saw(1), saw(1)]);
    expect(process.emitWarning).not.toHaveBeenCalled();
  });

  it('runs nothing when the answer to the claim never comes, and gives back what it may have claimed', async () => {
    world.aws().next('PutItem', neverAnswers);
    const call = way(() => runs.length, { timeoutMs: 1_000 });
    expect(await call(request)).toEqual(refused('STORE_UNAVAILABLE'));
    expect(runs).toHaveLength(0);
    expect(await call(request)).toEqual(saw(1));
  });

  it('gives the value when the answer to the completion never comes', async () => {
    world.aws().next('UpdateItem', neverAnswers, neverAnswers);
    const call = way(() => runs.length, { timeoutMs: 900 });
    expect(await call(request)).toEqual(saw(1));
    expect(process.emitWarning).toHaveBeenCalledWith(
      expect.stringContaining('completion-failed'),
      'IdempotencyWarning',
    );
    expect(await way(() => 'never')(request)).toEqual(saw(1));
  });

  it('retries a claim and a completion that meet a transaction or a throttle', async () => {
    const conflict = refuses('TransactionConflictException');
    world.aws().next('PutItem', conflict, conflict, conflict);
    world
      .aws()
      .next('UpdateItem', conflict, refuses('ReplicatedWriteConflictException'), refuses('ThrottlingException'));
    const call = way(() => runs.length);
    expect([await call(request), await call(request)]).toEqual([saw(1), saw(1)]);
    expect(process.emitWarning).not.toHaveBeenCalled();
  });

  it('keeps the fingerprint of the payload as it arrived, whatever the handler does to it', async () => {
    const payload = { amount: 1 };
    const call = way(() => {
      payload.amount = 99;
      return 'done';
    });
    await call({ ...request, payload });
    expect(await call({ ...request, payload: { amount: 1 } })).toEqual(saw('done'));
  });

  it.each([
    ['as JSON', () => ({ tags: ['a'] }), (value: any) => value.tags.push('b')],
    ['cloned', () => ({ bytes: Uint8Array.of(1) }), (value: any) => value.bytes.fill(9)],
    ['kept apart', () => ({ bytes: new Uint8Array(99_999) }), (value: any) => value.bytes.fill(9)],
  ])('hands out a fresh copy of a value every time: %s', async (_, make, spoil) => {
    if (name === 'idempotentBatch') return; // nobody is answered
    const call = way(make, { store: dynamoDBStore({ client: world.aws().client, tableName: world.tableName() }) });
    for (let time = 0; time < 4; time++) {
      const { value } = (await call(request)) as { value: unknown };
      expect(value).toEqual(make());
      spoil(value);
    }
  });
});

function given(seen: Seen): unknown {
  return 'value' in seen ? seen.value : undefined;
}

// As JSON it would be 2^40 objects.
function doubled(): unknown {
  let value: object = {};
  for (let level = 0; level < 40; level++) value = { a: value, b: value };
  return value;
}

function cycle(): unknown {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}
