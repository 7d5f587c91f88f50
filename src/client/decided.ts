import { isUndecided } from './verdict.ts';

/**
 * Whether an answer, or an error that is like one, tells what became of its request. A 409 with `Retry-After` is in flight, and
 * without headers nobody knows.
 */
export function isDecided(answer: any): boolean {
  const { status, headers } = answer ?? {};
  return status >= 200 && !isUndecided(status) && (status !== 409 || headers?.get?.('retry-after') === null);
}
