import newest from '@middy/core';
import httpCors from '@middy/http-cors';
import httpErrorHandler from '@middy/http-error-handler';
import httpJsonBodyParser from '@middy/http-json-body-parser';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { IdempotencyError, idempotent, memoryStore, type Store, TerminalError } from 'effectively-once';
import { earlyTimeout, idempotency, settled } from 'effectively-once/middy';
import oldest from 'middy-oldest';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type HttpRequest, httpEvent } from './events.ts';
import { lambdaContext } from './ways.ts';

type Response = APIGatewayProxyStructuredResultV2;

describe.each([
  // Which does not call `requestEnd` where the chain throws.
  ['the oldest Middy 7', oldest as typeof newest, false],
  ['the newest Middy 7', newest, true],
])('on %s', (_, middy, callsRequestEnd) => {
  let store: Store;
  let runs: number;
  let request: HttpRequest;
  beforeEach(() => {
    store = memoryStore();
    runs = 0;
    request = { key: crypto.randomUUID(), body: { item: 'book' } };
    vi.spyOn(console, 'error').mockImplementation(() => {});
  });
  afterEach(() => vi.restoreAllMocks());

  const chain = (plugin = {}) =>
    middy<APIGatewayProxyEventV2, Response>(plugin).use(idempotency({ store, scope: 'test' }));
  type Chain = ReturnType<typeof chain>;
  const call = async (handler: Chain, timeoutMs?: number): Promise<any> =>
    handler(httpEvent(request), lambdaContext(timeoutMs)).catch((error: unknown) => ({ error }));
  const created = async (): Promise<Response> => {
    runs++;
    return { statusCode: 201, body: JSON.stringify({ run: runs }) };
  };
  const REPLAYED = { 'Idempotent-Replayed': 'true' };
  const allowsOrigin = { 'Access-Control-Allow-Origin': '*' };
  const answering = (value: unknown) => async () => value;
  const throwing = (message: string) => async () => {
    throw new Error(message);
  };

  describe('settled', () => {
    /** A chain that fails after its handler, and then fails to answer that. */
    const failing = (plugin: object) => {
      let isOnRecord = false;
      const slow: Store = {
        ...store,
        write: async (write) => {
          if (write.kind === 'update') await new Promise((resolve) => setTimeout(resolve, 50));
          const written = await store.write(write);
          isOnRecord ||= write.kind === 'update';
          return written;
        },
      };
      const handler = middy<APIGatewayProxyEventV2, Response>(plugin)
        .use(idempotency({ store: slow, scope: 'test' }))
        .after(throwing('after'))
        .onError(throwing('onError'))
        .handler(created);
      return { handler, isOnRecord: () => isOnRecord };
    };

    it('awaits the end of the run, also where an onError throws', async () => {
      const { handler, isOnRecord } = failing({ requestEnd: settled });
      expect(await call(handler)).toEqual({ error: expect.objectContaining({ message: 'onError' }) });
      expect(isOnRecord()).toBe(callsRequestEnd);
      await expect.poll(isOnRecord).toBe(true);
      expect(await call(chain().handler(created))).toMatchObject({ body: '{"run":1}' });
    });

    it('ends the run also where the error that an onError throws cannot be assigned', async () => {
      const declining = async (): Promise<never> => {
        runs++;
        throw new TerminalError('declined');
      };
      const handler = middy<APIGatewayProxyEventV2, Response>({ requestEnd: settled })
        .use(idempotency({ store, scope: 'test' }))
        .onError(() => {
          throw Object.freeze(new Error('frozen'));
        })
        .handler(declining);
      await call(handler);
      if (callsRequestEnd) {
        expect(await call(chain().handler(created))).toEqual({
          error: expect.objectContaining({ message: 'declined' }),
        });
        expect(runs).toBe(1);
      }
    });

    it('stands beside a hook of one’s own', async () => {
      const own = vi.fn();
      const requestEnd = async (request: any) => {
        await settled(request);
        own();
      };
      const { handler, isOnRecord } = failing({ requestEnd });
      await call(handler);
      expect([own.mock.calls.length, isOnRecord()]).toEqual(callsRequestEnd ? [1, true] : [0, false]);
      await expect.poll(isOnRecord).toBe(true);
    });

    it('changes nothing where nothing is to be awaited, and never fails', async () => {
      expect(await settled({})).toBeUndefined();
      const handler = chain({ requestEnd: settled }).handler(created);
      expect(await call(handler)).toMatchObject({ statusCode: 201 });
      const thrown = chain({ requestEnd: settled }).handler(throwing('no'));
      request = { ...request, key: 'thrown' };
      expect(await call(thrown)).toEqual({ error: expect.objectContaining({ message: 'no' }) });
    });
  });

  it('tells the duplicate of a terminal error whose answer cannot be kept of the error, by the chain', async () => {
    const codec = {
      name: 'none',
      encode: () => {
        throw new Error('no');
      },
      decode: () => 1,
    };
    const declining = async (): Promise<never> => {
      runs++;
      throw Object.assign(new TerminalError('declined'), { statusCode: 402 });
    };
    const handler = middy<APIGatewayProxyEventV2, Response>()
      .use(idempotency({ store, scope: 'test', codec }))
      .use(httpErrorHandler({ logger: false }))
      .handler(declining);
    expect([await call(handler), await call(handler), runs]).toMatchObject([
      { statusCode: 402, body: 'declined' },
      { statusCode: 402, body: 'declined' },
      1,
    ]);
  });

  describe('a replay equals the first response', () => {
    it('with the headers that other middlewares have set', async () => {
      const handler = chain()
        .use(httpCors({ origin: '*' }))
        .use(httpErrorHandler())
        .handler(created);
      const first = await call(handler);
      expect(first).toEqual({ statusCode: 201, body: '{"run":1}', headers: allowsOrigin });
      expect(await call(handler)).toEqual({ ...first, headers: { ...allowsOrigin, ...REPLAYED } });
    });

    it('where the handler is void', async () => {
      const handler = chain().handler(async () => {
        runs++;
        return undefined as unknown as Response;
      });
      expect([await call(handler), await call(handler), runs]).toEqual([undefined, undefined, 1]);
    });

    it('where a terminal error was made a response of', async () => {
      const handler = chain()
        .use(httpCors({ origin: '*' }))
        .use(httpErrorHandler())
        .handler(async () => {
          runs++;
          throw Object.assign(new TerminalError('card declined'), { statusCode: 402 });
        });
      const first = await call(handler);
      expect(first).toMatchObject({ statusCode: 402, body: 'card declined', headers: allowsOrigin });
      expect(await call(handler)).toEqual({ ...first, headers: { ...first.headers, ...REPLAYED } });
      expect(runs).toBe(1);
    });

    it('where a body parser changes the event', async () => {
      const handler = chain()
        .use(httpJsonBodyParser())
        .handler(async (event) => {
          (event.body as any).item = 'changed';
          return created();
        });
      expect(await call(handler)).toMatchObject({ statusCode: 201 });
      expect(await call(handler)).toMatchObject({ statusCode: 201, headers: REPLAYED });
      expect(runs).toBe(1);
    });
  });

  describe('a refusal', () => {
    const handlerOf = () =>
      chain()
        .use(httpCors({ origin: '*' }))
        .use(httpErrorHandler({ logger: false }));

    it('is a problem with the headers that other middlewares have set, so that a browser may read it', async () => {
      const handler = handlerOf().handler(created);
      await call(handler);
      request = { ...request, body: { item: 'another' } };
      const { statusCode, headers, body } = await call(handler);
      expect({ statusCode, headers }).toEqual({
        statusCode: 422,
        headers: { ...allowsOrigin, 'Content-Type': 'application/problem+json' },
      });
      expect(JSON.parse(body)).toMatchObject({ type: 'urn:effectively-once:mismatch', status: 422, code: 'MISMATCH' });
    });

    it('takes nothing from the run it collides with (A1, A2)', async () => {
      const gate = Promise.withResolvers<void>();
      const handler = handlerOf().handler(async () => {
        const answer = await created();
        await gate.promise;
        return answer;
      });
      const first = call(handler);
      await vi.waitFor(() => expect(runs).toBe(1));
      expect(await call(handler)).toMatchObject({ statusCode: 409, headers: { ...allowsOrigin, 'Retry-After': '1' } });
      expect(await call(handler)).toMatchObject({ statusCode: 409 });
      gate.resolve();
      expect(await first).toMatchObject({ statusCode: 201 });
      request = { ...request, body: { item: 'another' } };
      expect(await call(handler)).toMatchObject({ statusCode: 422 });
      request = { ...request, body: { item: 'book' } };
      expect(await call(handler)).toMatchObject({ statusCode: 201, headers: REPLAYED });
      expect(runs).toBe(1);
    });

    it('is answered also where no error handler is in the chain', async () => {
      request = { body: { item: 'book' } };
      expect(await call(chain().handler(created))).toMatchObject({
        statusCode: 400,
        headers: { 'Content-Type': 'application/problem+json' },
      });
    });

    it('is thrown where there is no HTTP', async () => {
      const handler = middy<object, unknown>()
        .use(idempotency({ store, scope: 'test' }))
        .handler(created);
      await expect(handler({}, lambdaContext())).rejects.toMatchObject({ code: 'KEY_MISSING' });
    });
  });

  describe('the handler decides, not what is made of it', () => {
    it('a value is recorded though an after hook fails: its effect has happened (A3)', async () => {
      const handler = chain().after(throwing('serializer')).handler(created);
      expect(await call(handler)).toEqual({ error: new Error('serializer') });
      expect(await call(handler)).toMatchObject({ statusCode: 201, body: '{"run":1}', headers: REPLAYED });
    });

    it('also where an onError then fails, too', async () => {
      const handler = chain().after(throwing('serializer')).onError(throwing('logger')).handler(created);
      expect(await call(handler)).toMatchObject({ error: { message: 'logger' } });
      await vi.waitFor(async () => expect(await call(handler)).toMatchObject({ headers: REPLAYED }));
      expect(runs).toBe(1);
    });

    it('also where an onError then throws what is no error', async () => {
      const handler = chain()
        .after(throwing('serializer'))
        .onError(async () => {
          throw 'text';
        })
        .handler(created);
      await call(handler);
      await vi.waitFor(async () => expect(await call(handler)).toMatchObject({ headers: REPLAYED }));
      expect(runs).toBe(1);
    });

    it('a void handler counts as returned when an after hook fails', async () => {
      const handler = chain()
        .after(throwing('serializer'))
        .handler(async () => {
          runs++;
          return undefined as unknown as Response;
        });
      await call(handler);
      expect([await call(handler), runs]).toEqual([undefined, 1]);
    });

    it('what it returned is judged, not what an after hook has changed it into', async () => {
      const handler = chain()
        .use(httpCors({ origin: '*' })) // makes a 500 of a response without status
        .handler(async () => {
          runs++;
          return { body: 'charged' };
        });
      await call(handler);
      await call(handler);
      expect(runs).toBe(1);
    });

    it('an error that an onError throws on, as a logger does, releases', async () => {
      const handler = chain()
        .onError((request) => {
          throw request.error;
        })
        .handler(async () => {
          if (++runs === 1) throw new Error('come back');
          return { statusCode: 201 };
        });
      expect(await call(handler)).toMatchObject({ error: { message: 'come back' } });
      await vi.waitFor(async () => expect(await call(handler)).toEqual({ statusCode: 201 }));
    });

    it('a terminal error of which an onError makes another is recorded', async () => {
      const handler = chain()
        .onError(throwing('logger'))
        .handler(async () => {
          runs++;
          throw new TerminalError('declined');
        });
      await call(handler);
      await vi.waitFor(async () =>
        expect(await call(handler)).toMatchObject({ error: { originalError: { name: 'TerminalError' } } }),
      );
      expect(runs).toBe(1);
    });

    it('an IdempotencyError of its own is not answered as one of this request', async () => {
      const handler = chain().handler(async () => {
        throw new IdempotencyError('RESULT_UNAVAILABLE', 'inner');
      });
      expect(await call(handler)).toMatchObject({ error: { message: 'inner' } });
    });

    it('a retryable error releases, though it was made a response of', async () => {
      const handler = chain()
        .use(httpErrorHandler({ logger: false }))
        .handler(async () => {
          if (++runs === 1) throw Object.assign(new Error('come back'), { statusCode: 400, expose: true });
          return { statusCode: 201 };
        });
      expect(await call(handler)).toMatchObject({ statusCode: 400 });
      expect(await call(handler)).toEqual({ statusCode: 201 });
    });

    it('a status that a retry may mend releases', async () => {
      const handler = chain().handler(async () => ({ statusCode: ++runs === 1 ? 503 : 201 }));
      expect([await call(handler), await call(handler)]).toEqual([{ statusCode: 503 }, { statusCode: 201 }]);
    });

    it('what a later middleware makes of the value is what is recorded', async () => {
      const handler = chain()
        .after((request) => {
          request.response = { ...request.response, body: 'serialized' };
        })
        .handler(created);
      expect(await call(handler)).toEqual({ statusCode: 201, body: 'serialized' });
      expect(await call(handler)).toEqual({ statusCode: 201, body: 'serialized', headers: REPLAYED });
    });
  });

  describe('another middleware that ends the chain strands no claim (B5)', () => {
    const early = { statusCode: 200, body: 'early' };

    it('in its before: the handler was not run, so the key is free', async () => {
      let hit = true;
      const handler = chain()
        .before(async () => (hit ? early : undefined))
        .handler(created);
      expect(await call(handler)).toEqual(early);
      hit = false;
      expect(await call(handler)).toEqual({ statusCode: 201, body: '{"run":1}' });
    });

    it('in its after: the final response is recorded', async () => {
      const handler = chain().after(answering(early)).handler(created);
      expect(await call(handler)).toEqual(early);
      expect(await call(handler)).toEqual({ ...early, headers: REPLAYED });
      expect(runs).toBe(1);
    });

    it('in its onError: a retryable error releases', async () => {
      const handler = chain()
        .onError(answering(early))
        .handler(async () => {
          if (++runs === 1) throw new Error('come back');
          return { statusCode: 201 };
        });
      expect(await call(handler)).toEqual(early);
      expect(await call(handler)).toEqual({ statusCode: 201 });
    });

    it('in its onError: a terminal error is recorded as the answer that was made of it', async () => {
      const handler = chain()
        .onError(answering(early))
        .handler(async () => {
          runs++;
          throw new TerminalError('declined');
        });
      expect(await call(handler)).toEqual(early);
      expect(await call(handler)).toEqual({ ...early, headers: REPLAYED });
      expect(runs).toBe(1);
    });

    it('in its before, by an error: the key is free', async () => {
      const handler = chain().before(throwing('invalid')).handler(created);
      expect(await call(handler)).toEqual({ error: new Error('invalid') });
      expect(await call(handler)).toEqual({ error: new Error('invalid') });
    });
  });

  describe("after Middy's early timeout nobody knows what happened: nothing is recorded or released (B1, B2)", () => {
    const slow = async (): Promise<Response> => {
      const answer = await created();
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return answer;
    };
    const conflicts = async (handler: Chain) => expect(await call(handler, 60)).toMatchObject({ statusCode: 409 });

    it('which throws', async () => {
      const handler = chain().handler(slow);
      expect(await call(handler, 60)).toMatchObject({ error: { name: 'TimeoutError' } });
      await conflicts(handler);
    });

    it('of which the error handler makes a response', async () => {
      const handler = chain()
        .use(httpErrorHandler({ logger: false }))
        .handler(slow);
      expect(await call(handler, 60)).toMatchObject({ statusCode: 500 });
      await conflicts(handler);
    });

    it('which answers, wrapped in earlyTimeout', async () => {
      const timeoutEarlyResponse = earlyTimeout(() => ({ statusCode: 504, body: 'late' }));
      const handler = chain({ timeoutEarlyResponse })
        .use(httpCors({ origin: '*' }))
        .handler(slow);
      expect(await call(handler, 60)).toMatchObject({ statusCode: 504, body: 'late', headers: allowsOrigin });
      await conflicts(handler);
    });

    it('which answers later, wrapped in earlyTimeout', async () => {
      const timeoutEarlyResponse = earlyTimeout(async () => ({ statusCode: 504 }));
      const handler = chain({ timeoutEarlyResponse }).handler(slow);
      expect(await call(handler, 60)).toMatchObject({ statusCode: 504 });
      await conflicts(handler);
    });

    it('which throws an error of its own, wrapped in earlyTimeout', async () => {
      const timeoutEarlyResponse = earlyTimeout(() => {
        throw Object.assign(new Error('late'), { statusCode: 504 });
      });
      const handler = chain({ timeoutEarlyResponse }).handler(slow);
      expect(await call(handler, 60)).toMatchObject({ error: { message: 'late' } });
      await conflicts(handler);
    });

    it("but a TimeoutError of the handler's own is its error: released", async () => {
      const handler = chain().handler(async () => {
        if (++runs === 1) throw new DOMException('fetch took too long', 'TimeoutError');
        return { statusCode: 201 };
      });
      expect(await call(handler)).toMatchObject({ error: { name: 'TimeoutError' } });
      expect(await call(handler)).toEqual({ statusCode: 201 });
    });

    it('aborts the signal of the run', async () => {
      let signal: AbortSignal | undefined;
      const handler = chain().handler(async (_, context) => {
        signal = context.idempotency.signal;
        return slow();
      });
      await call(handler, 60);
      expect(signal?.aborted).toBe(true);
    });
  });

  it('passes a natural method without a key through, unprotected', async () => {
    const handler = chain().handler(async (_, context) => ({ statusCode: 200, body: String(context.idempotency.key) }));
    request = { method: 'PUT' };
    expect(await call(handler)).toEqual({ statusCode: 200, body: 'undefined' });
  });

  it('refuses a durable context before anything is claimed (B6)', async () => {
    const handler = middy<object, unknown>()
      .use(idempotency({ store, scope: 'test', key: () => 'k' }))
      .handler(created);
    const context = Object.assign(lambdaContext(), { lambdaContext: {}, step: () => {} });
    await expect(handler({}, context)).rejects.toMatchObject({ code: 'MISUSE' });
  });

  it('refuses a second of its kind in a chain, before the first has run', async () => {
    const handler = chain()
      .use(idempotency({ store, scope: 'second' }))
      .handler(created);
    expect(await call(handler)).toMatchObject({ statusCode: 500 });
    expect(runs).toBe(0);
  });

  it('keeps no key where the context cannot be written to', async () => {
    const handler = chain().handler(created);
    const context = Object.freeze(lambdaContext());
    await expect(handler(httpEvent(request), context)).rejects.toThrow(TypeError);
    expect(await call(handler)).toMatchObject({ statusCode: 201 });
  });

  it('runs within a wrapped handler', async () => {
    const handler = chain().handler(created);
    const wrapped = idempotent((event: APIGatewayProxyEventV2, context) => handler(event, context), {
      store,
      scope: 'outer',
    });
    expect(await wrapped(httpEvent(request), lambdaContext())).toMatchObject({ statusCode: 201 });
  });

  it('leaves alone an error that was thrown before it had its turn', async () => {
    const handler = middy<APIGatewayProxyEventV2, Response>()
      .before(throwing('earlier'))
      .use(idempotency({ store, scope: 'test' }))
      .handler(created);
    expect(await call(handler as Chain)).toEqual({ error: new Error('earlier') });
  });

  it('keeps requests apart though they share an internal object (B7)', async () => {
    const internal = {};
    const handler = chain({ internal }).handler(created);
    const { key } = request;
    request = { method: 'PUT' };
    await call(handler);
    request = { key: key as string };
    await call(handler);
    expect(await call(handler)).toMatchObject({ headers: REPLAYED });
  });
});
