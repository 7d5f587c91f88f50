/** How each error is named and answered: what went wrong, for whom, and whether the same request may come again. */
export const CODES = {
  KEY_MISSING: { name: 'IdempotencyKeyMissing', statusCode: 400, retryable: false },
  KEY_INVALID: { name: 'IdempotencyKeyInvalid', statusCode: 400, retryable: false },
  PAYLOAD_INVALID: { name: 'IdempotencyPayloadInvalid', statusCode: 400, retryable: false },
  CONFLICT: { name: 'IdempotencyConflict', statusCode: 409, retryable: true },
  MISMATCH: { name: 'IdempotencyMismatch', statusCode: 422, retryable: false },
  OUTCOME_UNKNOWN: { name: 'IdempotencyOutcomeUnknown', statusCode: 409, retryable: false },
  LEASE_LOST: { name: 'IdempotencyLeaseLost', statusCode: 409, retryable: true },
  RESULT_UNAVAILABLE: { name: 'IdempotencyResultUnavailable', statusCode: 410, retryable: false },
  STORE_UNAVAILABLE: { name: 'IdempotencyStoreUnavailable', statusCode: 503, retryable: true },
  CONFIG_INVALID: { name: 'IdempotencyConfigInvalid', statusCode: 500, retryable: false },
  MISUSE: { name: 'IdempotencyMisuse', statusCode: 500, retryable: false },
} as const;

export type IdempotencyErrorCode = keyof typeof CODES;

const RETRY_AFTER_MS = 1_000;

/** Asked by `console.log` and `util.inspect`. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * The one error this package throws. Tell cases apart by `code`, never by message.
 *
 * `name` follows from the code (`IdempotencyConflict`, `IdempotencyMismatch` …): a state machine tells errors apart by it.
 * `retryable`: the same request may come again, not before `retryAfterMs`. `statusCode`: what an HTTP caller is answered.
 * `id`: the partition key of the record, if there is one. `leaseUntil`: of a `CONFLICT`, epoch ms at which the lease in the way ends,
 * if that is known.
 *
 * @example
 * if (isIdempotencyError(error) && error.code === 'CONFLICT') await sleep(error.retryAfterMs ?? 1_000);
 */
export class IdempotencyError extends Error {
  override readonly name: string;
  readonly code: IdempotencyErrorCode;
  readonly retryable: boolean;
  readonly statusCode: number;
  readonly retryAfterMs?: number | undefined;
  readonly id?: string | undefined;
  declare readonly leaseUntil?: number;
  /** Of a store: sending the request again may help; the runtime does, while there is time. */
  declare readonly isPassing?: true;
  /** Of a store: nothing was written, and nothing can be any more. Absent: it may have been. */
  declare readonly isUnwritten?: true;

  constructor(
    code: IdempotencyErrorCode,
    message: string,
    details: {
      readonly id?: string | undefined;
      readonly cause?: unknown;
      readonly leaseUntil?: number | undefined;
      readonly isPassing?: boolean | undefined;
      readonly isUnwritten?: boolean | undefined;
    } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = CODES[code].name;
    this.code = code;
    this.retryable = CODES[code].retryable;
    this.statusCode = CODES[code].statusCode;
    this.retryAfterMs = this.retryable ? RETRY_AFTER_MS : undefined;
    this.id = details.id;
    if (details.leaseUntil !== undefined) this.leaseUntil = details.leaseUntil;
    if (details.isPassing) this.isPassing = true;
    if (details.isUnwritten) this.isUnwritten = true;
    // The frames of a refusal are ours, and any sender could fill a log with them.
    if (this.statusCode < 500) this.stack = `${this.name}: ${message}`;
  }

  /** What a log shows: of a refusal one line. */
  [INSPECT](): unknown {
    if (this.statusCode >= 500) return this;
    const why = this.cause === undefined ? '' : `, because of ${textOf(this.cause).slice(0, 200)}`;
    const line = `${this.stack}${why}${this.id === undefined ? '' : ` [${this.id}]`}`;
    return line.replace(/\p{Cc}+/gu, ' '); // a sender must not write lines of its own
  }
}

/**
 * True for an {@link IdempotencyError}, also one of another copy of this package.
 *
 * @example
 * if (isIdempotencyError(error) && error.retryable) return tryAgainLater(error.retryAfterMs);
 */
export function isIdempotencyError(error: unknown): error is IdempotencyError {
  if (!(error instanceof Error)) return false;
  const { code, name } = error as Partial<IdempotencyError>;
  return Object.hasOwn(CODES, String(code)) && CODES[code as IdempotencyErrorCode].name === name;
}

/** The code that an event gives for an error; `MISUSE` for one that is not ours. */
export function codeOf(error: unknown): IdempotencyErrorCode {
  return isIdempotencyError(error) ? error.code : 'MISUSE';
}

// A symbol from the global registry, so that two copies of this package know each other's errors.
const TERMINAL = Symbol.for('effectively-once.TerminalError');

/**
 * An error that no retry can mend, such as a declined card: it is recorded as the outcome, and every duplicate gets it again.
 *
 * A replay is a `TerminalError` with the same `name`, `message` and own properties (those that can be kept).
 *
 * @example
 * class CardDeclined extends TerminalError {
 *   override name = 'CardDeclined';
 * }
 */
export class TerminalError extends Error {
  override name = 'TerminalError';

  get [TERMINAL](): boolean {
    return true;
  }
}

/** The default of the option `isTerminal`: a {@link TerminalError}, a subclass, or one of another copy of this package. */
export function isTerminalError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && TERMINAL in error;
}

/** An error for what is used against its rules. */
export function misuse(message: string): IdempotencyError {
  return new IdempotencyError('MISUSE', message);
}

/** The error, with the id of the record that it is about. */
export function withRecord<T>(error: T, id: string): T | IdempotencyError {
  if (!isIdempotencyError(error) || error.id !== undefined) return error;
  const { code, message, stack, cause } = error;
  const details = 'cause' in error ? { ...error, id, cause } : { ...error, id };
  return Object.assign(new IdempotencyError(code, message, details), { stack });
}

/** Whether the request that failed so may have been written, or may yet be. */
export function isInDoubt(error: unknown): boolean {
  return isIdempotencyError(error) && error.retryable && !error.isUnwritten;
}

/** What was thrown, as a text. A thrown value that is not an error may have none. */
export function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown}` : `a ${typeof thrown}`;
  } catch {
    return 'an error without a text';
  }
}
