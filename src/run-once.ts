import { arrivalOf } from './run/arrival.ts';
import { once } from './run/begin.ts';
import { checkHandler } from './core/check.ts';
import { IdempotencyError } from './core/errors.ts';
import type { Execution } from './execution.ts';
import { COMMON_CHECKS, type RunOnceOptions, settingsOf } from './options.ts';

const CHECKS = {
  ...COMMON_CHECKS,
  key: [() => true, 'a text'], // arrivalOf says more
  principal: [() => true, 'a text'],
  payload: [() => true, 'a value'],
} as const;

/**
 * Runs `fn` once for a key, and answers every duplicate with what it returned.
 *
 * Throws what `fn` throws, or an `IdempotencyError`: `CONFLICT`, `MISMATCH`, `KEY_MISSING`, `KEY_INVALID`, `LEASE_LOST`,
 * `RESULT_UNAVAILABLE`, `STORE_UNAVAILABLE`, `CONFIG_INVALID`.
 */
export async function runOnce<T>(options: RunOnceOptions, fn: (execution: Execution) => Promise<T> | T): Promise<T> {
  const settings = settingsOf('runOnce', options, CHECKS);
  checkHandler('runOnce', fn);
  if (options.scope === undefined) throw new IdempotencyError('CONFIG_INVALID', 'runOnce needs the option `scope`');
  const arrival = arrivalOf({
    scope: options.scope,
    key: () => options.key,
    principal: () => options.principal,
    payload: options.payload === undefined ? undefined : () => options.payload,
    records: settings.records ?? (() => true),
    remaining: () => undefined,
  });
  const { value } = await once(settings, arrival, fn);
  return value as T;
}
