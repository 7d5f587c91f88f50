import { isIdempotencyError } from '../src/core/errors.ts';

const REFUSED =
  /^(ExpiredToken|InvalidSignature|IncompleteSignature|InvalidClientTokenId|UnrecognizedClient|MissingAuthenticationToken|(Credentials|Token)ProviderError)/;

/** What is said of credentials that are refused, or are none: a function may have others soon, an operator must get them. */
export function credentialsFault(error: unknown): string | undefined {
  const cause = isIdempotencyError(error) ? error.cause : undefined;
  const isOfCredentials = cause instanceof Error && REFUSED.test(cause.name);
  return isOfCredentials ? `these credentials cannot be used: ${cause.message}` : undefined;
}
