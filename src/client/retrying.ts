import { askedOf } from './asked.ts';
import { budget } from './budget.ts';
import { call } from './call.ts';
import { type RetryingOptions, settingsOf } from './options.ts';

type Fetch = typeof globalThis.fetch;

/**
 * A `fetch` that tries again, under one `Idempotency-Key`, what can be tried again without a second effect.
 *
 * GET, HEAD, OPTIONS, PUT and DELETE are; so is whatever has a key. POST and PATCH to one of `origins` are given one if they
 * have none; elsewhere they are sent once. If any attempt was answered, the last answer is returned; otherwise the last
 * error is thrown, with `attempts`: what each of them met. Past the deadline that is an error named `TimeoutError`.
 *
 * Throws a `TypeError` for options that are none, and rejects with one for a key that is too long or not printable.
 *
 * @example
 * const send = retrying(fetch, { origins: ['https://api.example.com'] });
 * const response = await send('https://api.example.com/orders', { method: 'POST', body });
 */
export function retrying(fetch?: Fetch, options?: RetryingOptions): Fetch {
  const settings = settingsOf(options ?? {});
  const tokens = settings.budget ? budget() : undefined;
  // Whoever replaces the global one later, to trace it, is heard.
  const send: Fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
  if (typeof send !== 'function') throw new TypeError('retrying expects a fetch');
  return async (input, init) => call(await askedOf(send, input, init ?? {}, settings), settings, tokens);
}
