import { type Retry, retrying } from 'effectively-once/client';
import { describe, expect, it, vi } from 'vitest';
import { API, failureOf, ORDERS, over, POST, scripted, virtualTime } from './scripted.ts';

virtualTime();

describe('onRetry', () => {
  it('hears of retries and of waits, with the key', async () => {
    const heard: Retry[] = [];
    const reset = new TypeError('reset');
    const server = scripted(503, { status: 409, headers: { 'retry-after': '1' } }, reset, 201);
    const send = retrying(server.fetch, { origins: [API], onRetry: (retry) => heard.push(retry) });
    await over(send(ORDERS, POST));
    const [key] = server.keys();
    expect(heard).toEqual([
      { attempt: 1, delayMs: 25, status: 503, key },
      { attempt: 2, delayMs: 1_000, status: 409, key },
      { attempt: 3, delayMs: 50, error: reset, key },
    ]);
  });

  it('may throw, or reject: that is logged, and the call goes on', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const failure = new Error('no log');
    const throwing = () => {
      throw failure;
    };
    for (const onRetry of [throwing, async () => throwing()]) {
      const send = retrying(scripted(503, 200).fetch, { onRetry });
      expect((await over(send(ORDERS))).status).toBe(200);
    }
    expect(warn.mock.calls).toEqual([[failure], [failure]]);
  });

  it('is not told of what is not tried again', async () => {
    const onRetry = vi.fn();
    await over(retrying(scripted(503).fetch, { onRetry, attempts: 1 })(ORDERS));
    await over(retrying(scripted(404).fetch, { onRetry })(ORDERS));
    expect(onRetry).not.toHaveBeenCalled();
  });
});

describe('the error that is thrown', () => {
  it('is the last one, with its cause, and says what each attempt met', async () => {
    const errors = ['a', 'b', 'c'].map((message) => new TypeError(message, { cause: new Error(`why ${message}`) }));
    const error = await failureOf(retrying(scripted(...errors).fetch)(ORDERS));
    expect(error).toBe(errors[2]);
    expect(error.cause).toEqual(new Error('why c'));
    expect(error.attempts).toEqual([
      { error: errors[0], delayMs: 25 },
      { error: errors[1], delayMs: 50 },
      { error: errors[2] },
    ]);
  });

  it('can be logged as JSON, though it is among its own attempts', async () => {
    const error = await failureOf(retrying(scripted(new TypeError('a')).fetch)(ORDERS));
    expect(() => JSON.stringify({ ...error })).not.toThrow();
  });

  it.each(['a text', Object.freeze(new Error('frozen')), undefined])(
    'is told also if what was thrown is %s',
    async (thrown) => {
      const error = await failureOf(retrying(() => Promise.reject(thrown))(ORDERS));
      expect(error).toBeInstanceOf(Error);
      expect(error.cause).toBe(thrown);
      expect(error.attempts).toHaveLength(3);
    },
  );
});
