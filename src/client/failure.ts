/** What became of one request: an answer or an error, and how long it was waited before the next. */
export interface Met {
  readonly status?: number;
  readonly error?: unknown;
  readonly delayMs?: number;
}

export function named(name: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { name });
}

/** For a call that nobody answered until its deadline. */
export function pastDeadline(ms: number, attempts: readonly Met[]): Error {
  const errors = attempts.map(({ error }, index) => `${index + 1}. ${error}`);
  return named('TimeoutError', `no answer within ${ms} ms: ${errors.join('; ')}`, attempts.at(-1)?.error);
}

/** The error itself, which says what each attempt met. Not enumerable: it is one of them, and loggers follow what is. */
export function withAttempts(error: unknown, attempts: readonly Met[]): unknown {
  const thrown = Object.isExtensible(error) ? error : new Error(String(error), { cause: error });
  return Object.defineProperty(thrown, 'attempts', { value: attempts, configurable: true });
}
