/** Headers that a page of another origin may send: `allowHeaders` of a CORS configuration. */
export const CORS_ALLOW_HEADERS: readonly string[] = ['Content-Type', 'Idempotency-Key'];

/** Headers of an answer that such a page may read: `exposeHeaders` of a CORS configuration. */
export const CORS_EXPOSE_HEADERS: readonly string[] = ['Idempotent-Replayed', 'Retry-After'];
