import { known } from './info.ts';
import { isUndecided } from './verdict.ts';

/**
 * Whether an answer, or an error that is like one, tells what became of its request. A 409 with `Retry-After` is in flight, and
 * without headers nobody knows. Of its own answers `retrying` knows more.
 */
export function isDecided(answer: any): boolean {
  const { status, headers } = answer ?? {};
  if (!(status >= 200) || isUndecided(status) || known.get(answer)?.[1]) return false;
  return status !== 409 || (headers?.get && !headers.get('retry-after'));
}
