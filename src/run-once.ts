import { asGiven, checkHandler, parsed } from './core/check.ts';
import { IdempotencyError } from './core/errors.ts';
import { publish } from './core/events.ts';
import type { Execution } from './execution.ts';
import { observed } from './observed.ts';
import { COMMON, type RunOnceOptions, settingsOf } from './options.ts';
import { arrivalOf } from './run/arrival.ts';
import { once } from './run/begin.ts';

const OPTIONS = { ...COMMON, key: asGiven, principal: asGiven, payload: asGiven };

const WORDS = {
  key: 'the option `key`',
  missing: 'give the option `key`',
  conflict: 'call again after `retryAfterMs`',
  mismatch: 'another payload, the option `payload`',
};

/** How often it was called in this process. */
let calls = 0;

/**
 * Runs `fn` once for a key, and answers every duplicate with what it returned.
 *
 * Throws what `fn` throws, or an `IdempotencyError`: `CONFLICT`, `MISMATCH`, `KEY_MISSING`, `KEY_INVALID`, `PAYLOAD_INVALID`, `LEASE_LOST`,
 * `RESULT_UNAVAILABLE`, `STORE_UNAVAILABLE`, `CONFIG_INVALID`.
 *
 * @example
 * const receipt = await runOnce({ store, scope: 'charge', key: orderId, payload: order, lease: '30s' }, async ({ step }) =>
 *   step('charge', ({ key }) => payments.charge(order, { idempotencyKey: key })),
 * );
 */
export async function runOnce<T>(options: RunOnceOptions, fn: (execution: Execution) => Promise<T> | T): Promise<T> {
  const { scope, key, principal, payload, ...common } = parsed('runOnce', options, OPTIONS);
  const settings = settingsOf('runOnce', common);
  checkHandler('runOnce', fn);
  const metrics = observed();
  if (scope === undefined) throw new IdempotencyError('CONFIG_INVALID', 'runOnce needs the option `scope`');
  if (metrics) await metrics;
  const about = { scope, source: 'run-once', call: ++calls };
  try {
    const arrival = arrivalOf(about, settings, () => ({
      scope,
      key: () => key,
      principal: () => principal,
      payload: payload === undefined ? undefined : () => payload,
      isOutcome: settings.isOutcome ?? (() => true),
      words: WORDS,
      remaining: () => undefined,
      isDeadlineTold: false,
    }));
    const answer = await once(settings, arrival, fn);
    return (await answer.open()) as T;
  } finally {
    publish(about, { type: 'settled' });
  }
}
