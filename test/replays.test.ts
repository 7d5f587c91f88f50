import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { idempotent, memoryStore, type OnReplay, runOnce, subscribe, TerminalError } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import * as testing from 'effectively-once/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpEvent } from './events.ts';
import { lambdaContext, WAYS } from './ways.ts';

let warned: string[];
beforeEach(() => {
  warned = [];
  vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warned.push(String(warning)));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe.each(WAYS)('$name: onReplay', ({ build, saw }) => {
  const request = { key: 'k', payload: 1 };
  const ID = expect.stringMatching(/^test#[\w-]{43}$/);

  it('is called for each duplicate that is answered with a value, and for nothing else', async () => {
    const onReplay = vi.fn();
    const call = build(() => ({ id: 7 }), { store: memoryStore(), onReplay });
    await call(request);
    await call({ ...request, payload: 2 });
    expect(onReplay).not.toHaveBeenCalled();
    expect(await call(request)).toEqual(saw({ id: 7 }));
    await call(request);
    expect(onReplay.mock.calls).toEqual([
      [{ id: 7 }, { id: ID, key: 'k', attempt: 1 }],
      [{ id: 7 }, { id: ID, key: 'k', attempt: 1 }],
    ]);
  });

  it('says which attempt it was', async () => {
    const onReplay = vi.fn();
    let runs = 0;
    const handler = () => {
      if (++runs === 1) throw new Error('once');
      return 'done';
    };
    const call = build(handler, { store: memoryStore(), onReplay });
    for (let time = 0; time < 3; time++) await call(request);
    expect(onReplay.mock.calls).toEqual([['done', { id: ID, key: 'k', attempt: 2 }]]);
  });

  it.each<[string, OnReplay]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['is rejected', () => Promise.reject(new Error('mine'))],
  ])('harms nobody when it %s', async (_, onReplay) => {
    const call = build(() => 'done', { store: memoryStore(), onReplay });
    await call(request);
    expect(await call(request)).toEqual(saw('done'));
    expect(warned).toEqual(['onReplay threw Error: mine']);
  });

  it('is not called for a recorded error, which has no value', async () => {
    const onReplay = vi.fn();
    const handler = () => {
      throw new TerminalError('declined');
    };
    const call = build(handler, { store: memoryStore(), onReplay });
    for (let time = 0; time < 2; time++) expect(await call(request)).toMatchObject({ error: { message: 'declined' } });
    expect(onReplay).not.toHaveBeenCalled();
  });

  it('is not called for a value that could not be kept, which is told as without it', async () => {
    const told: string[] = [];
    const unsubscribe = subscribe(({ type }) => told.push(type));
    const onReplay = vi.fn();
    const [watched, plain] = [{ onReplay }, {}].map((options) =>
      build(() => () => {}, { store: memoryStore(), ...options }),
    );
    for (const call of [watched, plain]) for (let time = 0; time < 2; time++) await call?.(request);
    unsubscribe();
    expect(onReplay).not.toHaveBeenCalled();
    expect(told.slice(0, told.length / 2)).toEqual(told.slice(told.length / 2));
  });

  it('is called for a duplicate that waited', async () => {
    const onReplay = vi.fn();
    const gate = Promise.withResolvers();
    const call = build(() => gate.promise, { store: memoryStore(), onReplay, onConflict: 'wait' });
    const both = [call(request), call(request)];
    setTimeout(() => gate.resolve('done'), 50);
    expect(await Promise.all(both)).toEqual([saw('done'), saw('done')]);
    expect(onReplay).toHaveBeenCalledTimes(1);
  });

  it('is called for a run that lost its commit, or its lease, to another', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const onReplay = vi.fn();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let runs = 0;
    const slow = build(
      async () => {
        const run = ++runs;
        await gates[run - 1]?.promise;
        return `run ${run}`;
      },
      { store: memoryStore(), onReplay },
    );
    const stale = slow(request);
    await vi.waitFor(() => expect(runs).toBe(1));
    vi.setSystemTime(Date.now() + 60_000);
    const winner = slow(request);
    await vi.waitFor(() => expect(runs).toBe(2));
    gates[1]?.resolve();
    expect(await winner).toEqual(saw('run 2'));
    gates[0]?.resolve();
    expect(await stale).toEqual(saw('run 2'));
    expect(onReplay.mock.calls).toEqual([['run 2', { id: ID, key: 'k', attempt: 2 }]]);

    const atomic = build(async ({ commit }) => commit('committed', []), {
      store: testing.memoryStore(),
      mode: 'atomic',
      onReplay,
    });
    for (let time = 0; time < 2; time++) expect(await atomic(request)).toEqual(saw('committed'));
    expect(onReplay.mock.calls.slice(1)).toEqual([['committed', { id: ID, key: 'k', attempt: 1 }]]);
  });
});

describe('over HTTP', () => {
  const onReplay: OnReplay = (response, { attempt }) => {
    response.headers['X-Attempt'] = `${attempt}`;
  };

  it('it may give the response a header of its own', async () => {
    const store = memoryStore();
    const plain = idempotent(async () => ({ statusCode: 201 }), { store, scope: 'plain', onReplay });
    const chain = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
      .use(idempotency({ store, scope: 'chain', onReplay }))
      .use(httpCors({ origin: '*' }))
      .handler(async () => ({ statusCode: 201 }));
    for (const handler of [plain, chain] as any[]) {
      await handler(httpEvent({ key: 'k' }), lambdaContext());
      for (let time = 0; time < 2; time++)
        expect(await handler(httpEvent({ key: 'k' }), lambdaContext())).toMatchObject({
          statusCode: 201,
          headers: { 'Idempotent-Replayed': 'true', 'X-Attempt': '1' },
        });
    }
  });

  it.each([
    ['for a second, however long there is', 3_600_000],
    ['for less, if the deadline is near', 800],
  ])('does not hold the answer back but %s', async (_, timeoutMs) => {
    const store = memoryStore();
    const onReplay = () => new Promise(() => {});
    const handler = idempotent(async () => ({ statusCode: 201 }), { store, scope: 'test', onReplay });
    await handler(httpEvent({ key: 'k' }), lambdaContext());
    const context = lambdaContext(timeoutMs);
    expect(await handler(httpEvent({ key: 'k' }), context)).toMatchObject({ statusCode: 201 });
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(0);
  });
});

it('what it does to a value is nobody else to see', async () => {
  const store = memoryStore();
  const call = (onReplay?: OnReplay) =>
    runOnce<any>({ store, scope: 's', key: 'k', lease: '1s', ...(onReplay && { onReplay }) }, () => ({ tags: ['a'] }));
  await call();
  expect(await call((value) => value.tags.push('b'))).toEqual({ tags: ['a', 'b'] });
  expect(await call()).toEqual({ tags: ['a'] });
});
