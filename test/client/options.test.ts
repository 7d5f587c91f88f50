import { retrying } from 'effectively-once/client';
import { describe, expect, it, vi } from 'vitest';
import { ORDERS, over, scripted, virtualTime } from './scripted.ts';

describe('options are checked when built', () => {
  it.each<[string, object]>([
    ['origins', { origins: 'https://api.example.com' }],
    ['origins', { origins: ['https://api.example.com/'] }],
    ['origins', { origins: ['https://api.example.com/v1'] }],
    ['origins', { origins: ['https://API.example.com'] }],
    ['origins', { origins: ['api.example.com'] }],
    ['origins', { origins: ['null'] }],
    ['origins', { origins: [null] }],
    ['attempts', { attempts: 0 }],
    ['attempts', { attempts: 2.5 }],
    ['attempts', { attempts: '3' }],
    ['attempts', { attempts: Number.POSITIVE_INFINITY }],
    ['attemptTimeout', { attemptTimeout: '10 s' }],
    ['attemptTimeout', { attemptTimeout: 0 }],
    ['attemptTimeout', { attemptTimeout: '10' }],
    ['deadline', { deadline: -1 }],
    ['deadline', { deadline: Number.NaN }],
    ['deadline', { deadline: 2 ** 31 }],
    ['keyFormat', { keyFormat: 'RFC' }],
    ['budget', { budget: 500 }],
    ['budget', { budget: null }],
    ['onRetry', { onRetry: 'log' }],
    ['retries', { retries: 3 }],
  ])('%s: %o is a TypeError that names it', (name, options) => {
    expect(() => retrying(undefined, options as never)).toThrow(TypeError);
    expect(() => retrying(undefined, options as never)).toThrow(`\`${name}\``);
  });

  it('what is no fetch is refused', () => {
    expect(() => retrying({ attempts: 5 } as never)).toThrow('retrying expects a fetch');
  });

  it('undefined counts as absent', () => {
    const names = ['origins', 'attempts', 'attemptTimeout', 'deadline', 'keyFormat', 'budget', 'onRetry'];
    expect(() => retrying(undefined, Object.fromEntries(names.map((name) => [name, undefined])))).not.toThrow();
  });
});

describe('durations', () => {
  virtualTime();

  it.each<[number | `${number}${'ms' | 's' | 'm' | 'h'}`, number]>([
    [1_500, 1_500],
    ['250ms', 250],
    ['2s', 2_000],
    ['1m', 60_000],
    ['1h', 3_600_000],
  ])('%s are %i ms', async (deadline, ms) => {
    const begun = performance.now();
    const never: typeof fetch = () => new Promise(() => {});
    await over(retrying(never, { attempts: 1, attemptTimeout: deadline, deadline: 2 ** 31 - 1 })(ORDERS)).catch(
      () => {},
    );
    expect(performance.now() - begun).toBe(ms);
  });
});

describe('the fetch', () => {
  virtualTime();

  it('is the global one by default, also one that replaced it later', async () => {
    const send = retrying();
    const server = scripted(503, 200);
    vi.stubGlobal('fetch', server.fetch);
    expect((await over(send(ORDERS))).status).toBe(200);
    expect(server.requests).toHaveLength(2);
  });

  it('is not asked for what it would refuse: that is one TypeError', async () => {
    const server = scripted(200);
    const send = retrying(server.fetch);
    for (const call of [
      send('no address'),
      send(ORDERS, { method: 'GET', body: 'x' }),
      send(ORDERS, { method: 'CONNECT' }),
    ]) {
      await expect(call).rejects.toBeInstanceOf(TypeError);
    }
    expect(server.requests).toEqual([]);
  });
});
