import { Readable } from 'node:stream';
import { retryInfo, retrying } from 'effectively-once/client';
import { describe, expect, it, vi } from 'vitest';
import { API, failureOf, hangs, ORDERS, over, POST, type Reaction, scripted, virtualTime } from './scripted.ts';

describe('pauses', () => {
  virtualTime(1);

  const pausesOf = async (reaction: Reaction, attempts: number) => {
    const server = scripted(reaction);
    await over(retrying(server.fetch, { attempts, deadline: '10m', budget: false })(ORDERS)).catch(() => {});
    return server.times().map((at, index, all) => Math.round(at - (all[index - 1] ?? 0)));
  };

  it('the first is at most 50 ms, and that doubles up to 20 s', async () => {
    const expected = [0, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000];
    expect(await pausesOf(503, 12)).toEqual(expected);
    expect(await pausesOf(new TypeError('reset'), 12)).toEqual(expected);
  });

  it('after a 429 it is at most 1 s, and that doubles', async () => {
    expect(await pausesOf(429, 7)).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000]);
  });

  it('full jitter: chance may make it nothing', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    expect(await pausesOf(503, 4)).toEqual([0, 0, 0, 0]);
  });
});

describe('Retry-After', () => {
  virtualTime();
  const asking = (value: string, headers: Record<string, string> = {}): Reaction => ({
    status: 503,
    headers: { 'retry-after': value, ...headers },
  });
  const firstPause = async (reaction: Reaction, deadline: number) => {
    const server = scripted(reaction, 200);
    const response = await over(retrying(server.fetch, { deadline })(ORDERS));
    return response.status === 200 ? server.times()[1] : `${response.status} at ${server.times().length}`;
  };

  it.each<[string, Reaction, number]>([
    ['of seconds is a floor', asking('7'), 7_000],
    ['of less than the jitter changes nothing', asking('0'), 25],
    ['in the past changes nothing', asking('Thu, 01 Jan 2026 00:00:00 GMT'), 25],
    ['of nonsense changes nothing', asking('soon'), 25],
    ['of a date that is none of HTTP changes nothing', asking('2126-11-26'), 25],
    ['below nothing changes nothing', asking('-5'), 25],
    [
      "of a date is read by the server's clock",
      asking('Thu, 26 Nov 2026 12:00:09 GMT', { date: 'Thu, 26 Nov 2026 12:00:00 GMT' }),
      9_000,
    ],
  ])('%s', async (_, reaction, pause) => {
    expect(await firstPause(reaction, 60_000)).toBe(pause);
  });

  it('of a date is read by our clock if the server does not tell its own', async () => {
    vi.setSystemTime(Date.UTC(2026, 10, 26, 12));
    expect(await firstPause(asking('Thu, 26 Nov 2026 12:00:05 GMT'), 60_000)).toBe(5_000);
    vi.setSystemTime(Date.UTC(2026, 10, 26, 12));
    expect(await firstPause(asking('Thursday, 26-Nov-26 12:00:05 GMT'), 60_000)).toBe(5_000);
  });

  it('beyond the deadline returns that response at once', async () => {
    for (const value of ['259200', '61', 'Wed, 01 Jan 2126 00:00:00 GMT', '9'.repeat(400)]) {
      const server = scripted(asking(value));
      const begun = performance.now();
      const response = await over(retrying(server.fetch)(ORDERS));
      expect(performance.now() - begun).toBe(0);
      expect([response.status, await response.text(), retryInfo(response).attempts]).toEqual([503, '503', 1]);
    }
  });

  it('of a wait beyond the deadline as well', async () => {
    const server = scripted({ status: 409, headers: { 'retry-after': '259200' } });
    const response = await over(retrying(server.fetch, { origins: [API] })(ORDERS, POST));
    expect([response.status, server.requests.length]).toEqual([409, 1]);
  });
});

describe('limits', () => {
  virtualTime();

  it('an attempt ends after 10 s, and is tried again', async () => {
    const server = scripted(hangs, hangs, 200);
    expect((await over(retrying(server.fetch)(ORDERS))).status).toBe(200);
    expect(server.times()).toEqual([0, 10_025, 20_075]);
  });

  it('a fetch that does not heed its signal is not waited for, and what it answers later is let go', async () => {
    const late = new Response('late');
    const server = scripted(() => new Promise((resolve) => setTimeout(() => resolve(late), 15_000)), 200);
    expect(await over(retrying(server.fetch)(ORDERS))).not.toBe(late);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(late.bodyUsed).toBe(true);
  });

  it('the limit of an attempt ends with its headers: the body is the caller’s', async () => {
    const { readable, writable } = new TransformStream();
    const response = await over(retrying(scripted(() => new Response(readable)).fetch)(ORDERS));
    const text = response.text();
    await vi.advanceTimersByTimeAsync(600_000);
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode('slow'));
    await writer.close();
    expect(await text).toBe('slow');
  });

  it('past the deadline an error says how many attempts there were, and what each met', async () => {
    const server = scripted(new TypeError('connection reset'), hangs);
    const error = await failureOf(
      retrying(server.fetch, { attemptTimeout: '10s', deadline: '15s', attempts: 5 })(ORDERS),
    );
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('TimeoutError');
    expect(error.message).toBe(
      'no answer within 15000 ms: 1. TypeError: connection reset; 2. TimeoutError: no answer within 10000 ms; 3. TimeoutError: no answer within 4925 ms',
    );
    expect(error.attempts).toEqual([
      { error: new TypeError('connection reset'), delayMs: 25 },
      { error: expect.objectContaining({ name: 'TimeoutError' }), delayMs: 50 },
      { error: expect.objectContaining({ name: 'TimeoutError' }) },
    ]);
    expect(error.cause).toBe(error.attempts[2].error);
    expect(server.times().at(-1)).toBeLessThan(15_000);
  });

  it('so does the error of a single attempt', async () => {
    const call = retrying(scripted(hangs).fetch, { attempts: 1, deadline: 500 })(ORDERS);
    expect(await failureOf(call)).toMatchObject({
      name: 'TimeoutError',
      attempts: [{ error: { name: 'TimeoutError' } }],
    });
  });

  it('if any attempt was answered the last answer is returned, also at the deadline', async () => {
    const server = scripted(503, { status: 502, body: 'last' }, hangs);
    const response = await over(retrying(server.fetch, { deadline: '5s' })(ORDERS));
    expect([response.status, await response.json(), retryInfo(response).attempts]).toEqual([502, 'last', 3]);
  });

  it('and when the attempts are used up by errors', async () => {
    const server = scripted(503, new TypeError('reset'));
    expect((await over(retrying(server.fetch)(ORDERS))).status).toBe(503);
    expect(server.requests).toHaveLength(3);
  });

  it('the deadline holds for waits, and the 409 is returned', async () => {
    const server = scripted({ status: 409, headers: { 'retry-after': '2' } });
    const response = await over(retrying(server.fetch, { origins: [API], deadline: '9s' })(ORDERS, POST));
    expect(response.status).toBe(409);
    expect(server.times()).toEqual([0, 2_000, 4_000, 6_000, 8_000]);
  });

  it.each([409, 422])('the deadline holds for the body of a %i, too', async (status) => {
    const slow: Reaction = async () => {
      await new Promise((resolve) => setTimeout(resolve, 9_000));
      return new Response(new ReadableStream(), { status });
    };
    const begun = performance.now();
    const call = retrying(scripted(slow).fetch, { origins: [API], deadline: '10s' })(ORDERS, POST);
    expect((await over(call)).status).toBe(status);
    expect(performance.now() - begun).toBe(10_000);
  });

  it('nothing is sent after it, though a page or a function was frozen during a pause', async () => {
    const now = performance.now;
    const freezes = () => {
      vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 3_600_000);
    };
    const lost = scripted(new TypeError('reset'), 201);
    const options = { origins: [API], onRetry: freezes };
    expect(await failureOf(retrying(lost.fetch, options)(ORDERS, POST))).toMatchObject({ name: 'TimeoutError' });
    expect(lost.requests).toHaveLength(1);
    vi.restoreAllMocks();
    const answered = scripted(503, 201);
    expect((await over(retrying(answered.fetch, options)(ORDERS, POST))).status).toBe(503);
    expect(answered.requests).toHaveLength(1);
  });

  it('is monotonic: a clock that jumps changes nothing', async () => {
    for (const jump of [-86_400_000, 86_400_000]) {
      const jumping: Reaction = (request, signal) => {
        vi.setSystemTime(Date.now() + jump);
        return (hangs as (...args: unknown[]) => Promise<Response>)(request, signal);
      };
      const begun = performance.now();
      await failureOf(retrying(scripted(jumping).fetch, { attempts: 100, deadline: '35s' })(ORDERS));
      expect(performance.now() - begun).toBeCloseTo(35_000, -1);
    }
  });
});

describe('an AbortSignal is obeyed at once, with its reason', () => {
  virtualTime();
  const reason = new Error('the user left');

  it.each<[string, Reaction]>([
    ['while it waits for an answer', hangs],
    ['while a fetch does not heed it', () => new Promise(() => {})],
    ['between attempts', { status: 503, headers: { 'retry-after': '30' } }],
    ['while it waits for one in flight', { status: 409, headers: { 'retry-after': '30' } }],
  ])('%s', async (_, reaction) => {
    const controller = new AbortController();
    const server = scripted(reaction);
    const call = retrying(server.fetch, { origins: [API] })(ORDERS, { ...POST, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5_000);
    const begun = performance.now();
    expect(await failureOf(call)).toBe(reason);
    expect(performance.now() - begun).toBe(5_000);
    expect(server.requests).toHaveLength(1);
    for (const answer of server.answers) expect(answer.bodyUsed).toBe(true); // let go
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.requests).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of a Request as well', async () => {
    const controller = new AbortController();
    const call = retrying(scripted(hangs).fetch)(new Request(ORDERS, { signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 5_000);
    expect(await failureOf(call)).toBe(reason);
  });

  it('before anything is sent', async () => {
    const server = scripted(200);
    expect(await failureOf(retrying(server.fetch)(ORDERS, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(server.requests).toEqual([]);
  });

  it('by onRetry', async () => {
    const controller = new AbortController();
    const server = scripted(503);
    const send = retrying(server.fetch, { onRetry: () => controller.abort(reason) });
    expect(await failureOf(send(ORDERS, { signal: controller.signal }))).toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  it('with a `fetch` whose answers are of a class of its own, as that of undici: they are let go, and their bodies end', async () => {
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const cancel = vi.fn(async () => {});
    const server = scripted((_, signal) => {
      signals.push(signal);
      return { status: signals.length > 1 ? 200 : 503, headers: new Headers(), body: { cancel } } as never;
    });
    await over(retrying(server.fetch)(ORDERS, { signal: controller.signal }));
    expect(cancel).toHaveBeenCalledTimes(1);
    controller.abort(reason);
    expect(signals[1]?.reason).toBe(reason);
  });

  it.each<unknown>([{ body: 'text' }, { body: { cancel: true }, headers: { get: true } }, { headers: {} }])(
    'and a problem that is like a response is none: %j',
    async (problem) => {
      const { signal } = new AbortController();
      const at =
        (ms: number): Reaction =>
        async () => {
          const body = new ReadableStream({
            start: (controller) =>
              void setTimeout(() => {
                controller.enqueue(new TextEncoder().encode(JSON.stringify(problem)));
                controller.close();
              }, ms),
          });
          return new Response(body, { status: 409 });
        };
      for (const ms of [0, 15_000]) {
        const send = retrying(scripted(at(ms)).fetch, { origins: [API] });
        const response = await over(send(ORDERS, { ...POST, signal }));
        const text = response.text();
        await vi.advanceTimersByTimeAsync(20_000);
        expect([response.status, await text]).toEqual([409, JSON.stringify(problem)]);
      }
    },
  );

  it('with a `fetch` whose bodies are streams of Node.js, as that of node-fetch: the answer is given', async () => {
    const answers = [503, 201].map((status) => ({ status, headers: new Headers(), body: Readable.from(['x']) }));
    const server = scripted(() => answers[server.requests.length - 1] as never);
    expect((await over(retrying(server.fetch)(ORDERS))).status).toBe(201);
  });

  it('and rules the body after the headers', async () => {
    const controller = new AbortController();
    let given!: AbortSignal;
    const server = scripted((_, signal) => {
      given = signal;
      return new Response('body');
    });
    await over(retrying(server.fetch)(ORDERS, { signal: controller.signal }));
    expect(given.aborted).toBe(false);
    controller.abort(reason);
    expect(given.reason).toBe(reason);
  });
});
