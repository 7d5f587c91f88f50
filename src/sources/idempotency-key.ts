import { IdempotencyError } from '../core/errors.ts';

// RFC 9651 §3.3.3: printable ASCII in double quotes, where `"` and `\` are escaped.
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;
const BARE = /^[!#-+\--~][!-+\--~ ]*$/;

/**
 * The key in the values of the `Idempotency-Key` header: a bare text or an RFC 9651 string, `abc` and `"abc"` are one key.
 *
 * Throws `KEY_INVALID` for two values and for a bare one with a comma, which is how two values arrive when joined.
 */
export function keyOfHeader(values: readonly unknown[]): string | undefined {
  if (values.length > 1) throw invalid('more than one Idempotency-Key header');
  const value = typeof values[0] === 'string' ? values[0].trim() : '';
  if (value === '') return undefined;
  const quoted = QUOTED.exec(value)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\(["\\])/g, '$1');
  if (BARE.test(value)) return value;
  throw invalid('the Idempotency-Key header must be one text of printable ASCII, bare without a comma, or quoted');
}

function invalid(message: string): IdempotencyError {
  return new IdempotencyError('KEY_INVALID', message);
}
