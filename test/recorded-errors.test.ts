import { type Codec, runOnce, TerminalError } from 'effectively-once';
import { memoryStore } from 'effectively-once/testing';
import createError from 'http-errors';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const json: Codec = {
  name: 'json-later',
  encode: async (value) => Buffer.from(JSON.stringify(value)),
  decode: async (bytes) => JSON.parse(Buffer.from(bytes).toString()),
};

/** What a duplicate of a run that threw it is thrown, and all that is on record. */
async function recorded(thrown: unknown, codec?: Codec): Promise<{ error: any; record: string }> {
  const store = memoryStore();
  const options = {
    store,
    scope: 'test',
    key: 'k',
    lease: '10s',
    isTerminal: () => true,
    ...(codec && { codec }),
  } as const;
  const call = async (fn: () => unknown): Promise<any> => {
    try {
      return expect.unreachable(String(await runOnce(options, fn)));
    } catch (error) {
      return error;
    }
  };
  expect(await call(() => Promise.reject(thrown))).toBe(thrown);
  const [{ outcome } = {}] = store.records() as { outcome?: { error: object; body?: string | Uint8Array } }[];
  const body = Buffer.from((outcome?.body as string | undefined) ?? '').toString('latin1');
  return { error: await call(() => 'never'), record: JSON.stringify(outcome?.error) + body };
}

class Declined extends TerminalError {
  override readonly name = 'Declined';
  readonly #reason = 'limit';
  reads = 0;
  get reason(): string {
    this.reads++;
    return this.#reason;
  }
  get broken(): string {
    throw new Error('no');
  }
}

describe('a recorded error is as thick as the thrown one', () => {
  it('an AggregateError has its errors, and they their causes', async () => {
    const errors = [new TypeError('card 1', { cause: new RangeError('limit') }), new Declined('card 2'), 'card 3'];
    const { error } = await recorded(new AggregateError(errors, 'all declined'));
    expect(error).toMatchObject({ name: 'AggregateError', message: 'all declined' });
    expect(error.errors).toMatchObject([
      { name: 'TypeError', message: 'card 1', cause: { name: 'RangeError', message: 'limit' } },
      { name: 'Declined', message: 'card 2', reason: 'limit' },
      'card 3',
    ]);
    expect(error.errors[0]).toBeInstanceOf(TypeError);
    expect(Object.keys(error)).not.toContain('errors');
  });

  const schema = z.object({ a: z.string() });
  it.each<[string, () => any]>([
    ['returned, which is no Error', () => schema.safeParse({ a: 1 }).error],
    [
      'thrown',
      () => {
        try {
          return schema.parse({ a: 1 });
        } catch (error) {
          return error;
        }
      },
    ],
  ])('a ZodError has its issues: %s', async (_, fail) => {
    const thrown = fail();
    const { error } = await recorded(thrown);
    expect(error.issues).toEqual(thrown.issues);
    expect(z.flattenError(error)).toEqual(z.flattenError(thrown));
  });

  it('an HTTP error has its status, and whether it may be shown, also where they are its class’s', async () => {
    const inherited = Object.assign(
      Object.create({
        ...TerminalError.prototype,
        __proto__: TerminalError.prototype,
        status: 402,
        statusCode: 402,
        expose: true,
      }),
      { message: 'no funds' },
    );
    for (const thrown of [
      createError(402, 'no funds', { code: 'E' }),
      new createError.PaymentRequired('no funds'),
      inherited,
    ]) {
      const { error } = await recorded(thrown);
      expect(error).toMatchObject({ status: 402, statusCode: 402, expose: true, message: 'no funds' });
    }
  });

  it('has what its getters gave when it was thrown, each read once; what cannot be read is left out', async () => {
    const { error } = await recorded(new Declined('no'));
    expect(error).toMatchObject({ name: 'Declined', reason: 'limit', reads: 0 });
    expect(error).not.toHaveProperty('broken');
    for (const name of ['count', 'status', 'message']) {
      let reads = 0;
      const own = Object.defineProperty(new Error('no'), name, {
        get: () => (name === 'message' ? `${++reads}` : ++reads),
      });
      expect((await recorded(own)).error[name]).toEqual(name === 'message' ? '1' : 1);
      expect(reads).toBe(1);
    }
  });

  it('is the same to a codec that takes its time', async () => {
    const { error } = await recorded(new AggregateError([new Declined('one')], 'all', { cause: { code: 7 } }), json);
    expect(error).toMatchObject({ cause: { code: 7 }, errors: [{ name: 'Declined', reason: 'limit' }] });
  });

  it('may be its own cause, or that of another below it', async () => {
    const thrown: any = new Error('a');
    thrown.cause = new Error('b', { cause: thrown });
    const { error } = await recorded(thrown);
    expect(error.cause).toMatchObject({ message: 'b' });
    expect(error.cause.cause).toBe(error);
  });

  it('with causes without end has as many as are kept', async () => {
    let thrown = new Error('0');
    for (let depth = 1; depth < 10_000; depth++) thrown = new Error(`${depth}`, { cause: thrown });
    const { error } = await recorded(thrown);
    expect(error).toMatchObject({ message: '9999', cause: { message: '9998' } });
  });

  it('with errors that make errors without end has as many as are kept', async () => {
    class Endless extends Error {
      get one(): Error {
        return new Endless('one');
      }
      get other(): Error {
        return new Endless('other');
      }
    }
    expect((await recorded(new Endless('first'))).error).toMatchObject({ message: 'first', one: { message: 'one' } });
  });

  it('keeps what can be kept beside what its codec refuses', async () => {
    const { error } = await recorded(Object.assign(new Error('x'), { code: 'E', amount: 5n }), json);
    expect(error).toMatchObject({ code: 'E' });
    expect(error).not.toHaveProperty('amount');
  });

  it('keeps what can be kept beside what cannot', async () => {
    const thrown = Object.assign(new Error('x'), {
      retry() {},
      code: 'E',
      of: new (class Money {})(),
      at: new Date(0),
    });
    const { error } = await recorded(thrown);
    expect(error).toMatchObject({ code: 'E', at: new Date(0) });
    expect(error).not.toHaveProperty('retry');
    expect(error).not.toHaveProperty('of');
  });

  it('of a class that is no error’s has its members', async () => {
    class Refusal {
      readonly code = 'limit';
      readonly statusCode = 402;
    }
    expect((await recorded(new Refusal())).error).toMatchObject({ code: 'limit', statusCode: 402 });
  });

  it.each([['a text'], [undefined], [null], [{ statusCode: 402, headers: { a: 'b' } }], [[1]], [new Map([[1, 2]])]])(
    'what is no error is thrown again as it was: %o',
    async (thrown) => {
      expect((await recorded(thrown)).error).toEqual(thrown);
    },
  );
});

describe('neither credentials nor sockets are on record', () => {
  const SECRETS = ['config', 'request', 'response', '$response', '_response', 'headers', 'options', 'socket'];
  const secrets = Object.fromEntries(SECRETS.map((name) => [name, { authorization: 'Bearer s3cret' }]));
  const failed = (message: string, options?: ErrorOptions) =>
    Object.defineProperty(Object.assign(new Error(message, options), secrets, { code: 'E' }), '$response', {
      value: { authorization: 'Bearer s3cret' },
      enumerable: false,
    });

  it.each<[string, () => unknown]>([
    ['of the error', () => failed('a')],
    ['of its cause', () => new Error('a', { cause: failed('b', { cause: failed('c') }) })],
    ['of a cause that is no error', () => new Error('a', { cause: { ...secrets, code: 'E' } })],
    [
      'of a cause without a prototype',
      () => new Error('a', { cause: Object.assign(Object.create(null), secrets, { code: 'E' }) }),
    ],
    ['of causes in a list, and below', () => new Error('a', { cause: [{ code: 'E', inner: { ...secrets } }] })],
    ['of an error within other data', () => Object.assign(new Error('a'), { details: { attempts: [failed('b')] } })],
    ['of objects that failed together', () => new AggregateError([{ ...secrets, code: 'E' }], 'b')],
    ['of errors and objects that failed together', () => new AggregateError([failed('c'), { ...secrets }], 'b')],
    ['of errors together', () => new AggregateError([failed('a')], 'b')],
    ['of an error among its properties', () => Object.assign(new Error('a'), { original: failed('b') })],
    [
      'that getters give',
      () =>
        new (class extends Error {
          get headers() {
            return 's3cret';
          }
          get code() {
            return 'E';
          }
        })('a'),
    ],
  ])('%s', async (_, fail) => {
    for (const codec of [undefined, json]) {
      const { record } = await recorded(fail(), codec);
      expect(record).not.toContain('s3cret');
      expect(record).toContain('code');
    }
  });

  it('nor the stack', async () => {
    const data = { code: 'E', details: { inner: new Error('c') }, all: new Map([['d', new Error('d')]]) };
    const { error, record } = await recorded(Object.assign(new Error('a', { cause: new Error('b') }), data));
    expect(error).toMatchObject({ code: 'E', details: { inner: { message: 'c' } } });
    expect(error.all.get('d')).toMatchObject({ message: 'd' });
    expect(record).not.toContain('recorded-errors.test');
  });
});
