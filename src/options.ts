import type { Context } from 'aws-lambda';
import { CLONE, type Codec } from './values/codec.ts';
import { type Checks, checkOptions } from './core/check.ts';
import { type Duration, durationOf } from './core/duration.ts';
import { IdempotencyError, isTerminalError } from './core/errors.ts';
import type { Store } from './core/store.ts';
import { environment } from './environment.ts';
import type { Reconcile } from './execution.ts';
import { type Outcomes, outcomesOf } from './values/outcome.ts';

/** Options of all four ways in. */
export interface CommonOptions {
  /** Where records are kept: `dynamoDBStore()`, or `memoryStore()` in tests. */
  readonly store: Store;
  /**
   * How long an outcome is kept, and a duplicate recognised. Not less than the environment's `IDEMPOTENCY_RETENTION`.
   * @default - `IDEMPOTENCY_RETENTION`, else '24h'
   */
  readonly retention?: Duration;
  /**
   * How far two machines' clocks may be apart: a taker waits that much longer than a holder works.
   * @default '1s'
   */
  readonly clockSkew?: Duration;
  /**
   * What a duplicate does while the first run is under way: `'reject'` with `CONFLICT`, or `'wait'` for the outcome until
   * shortly before the deadline.
   * @default 'reject'
   */
  readonly onConflict?: 'reject' | 'wait';
  /**
   * What happens when a lease has ended and nobody knows whether the effect did: the handler runs again; the key is refused
   * with `OUTCOME_UNKNOWN` until an operator decides by `resolve`; or a function finds out, see {@link Reconcile}. Other than
   * with `'rerun'` such a record never expires.
   * @default 'rerun'
   */
  readonly onUnknown?: 'rerun' | 'refuse' | Reconcile;
  /**
   * What an arrival without a key does: it is refused with `KEY_MISSING`, or runs unprotected.
   * @default 'reject'
   */
  readonly onMissingKey?: 'reject' | 'run';
  /**
   * Which thrown errors are recorded, and thrown again at every duplicate; any other releases the key.
   * @default - `TerminalError` and its subclasses
   */
  readonly isTerminal?: (error: unknown) => boolean;
  /**
   * Which returned values are recorded; any other releases the key, so that a retry runs again.
   * @default - all; of HTTP responses every status but 408, 409, 425, 429 and 5xx
   */
  readonly records?: (value: unknown) => boolean;
  /**
   * `'claim'`: a claim is taken before the run. `'atomic'`, for handlers whose only effects are DynamoDB writes: none is, and
   * `commit` puts outcome and writes in one transaction; one round trip instead of two. Any duplicate may run the handler's
   * code, also at the same time; only its commit is once.
   * @default 'claim'
   */
  readonly mode?: 'claim' | 'atomic';
  /**
   * How values become bytes, for another notion of lossless, or to encrypt them. A value that cannot be encoded is recorded as
   * done without it.
   * @default - JSON where it is lossless, else Node's structured clone: `undefined`, Date, BigInt, Map, Set, bytes, cycles, errors
   */
  readonly codec?: Codec;
}

/** Options of the wrapper and the middleware; `Event` is what the handler gets, in a batch the record. */
export interface HandlerOptions<Event> extends CommonOptions {
  /**
   * The operation: namespace of its keys. Aliases and versions of a function share it.
   * @default - `IDEMPOTENCY_SCOPE`, else `AWS_LAMBDA_FUNCTION_NAME`
   */
  readonly scope?: string;
  /**
   * The idempotency key: 1 to 255 printable characters that name one intended operation.
   * @default - from the event source: the `Idempotency-Key` header, the SQS message id, the EventBridge event id
   */
  readonly key?: (event: Event, context: Context) => string | undefined;
  /**
   * The authenticated caller; the same key of another caller is another record.
   * @default - from the event source's authorizer
   */
  readonly principal?: (event: Event, context: Context) => string | undefined;
  /**
   * What must not change under a key, as JSON; `false` to accept anything.
   * @default - what the event source calls the payload
   */
  readonly fingerprint?: ((event: Event) => unknown) | false;
  /**
   * How long a claim holds without a sign of life; shorter means faster recovery from a crash.
   * @default - the invocation's remaining time
   */
  readonly lease?: Duration;
}

/** Options of `runOnce`: here key, principal and payload are values. */
export interface RunOnceOptions extends CommonOptions {
  /** The operation: namespace of its keys. */
  readonly scope: string;
  /** 1 to 255 printable characters that name one intended operation. */
  readonly key: string | undefined;
  /** The authenticated caller; the same key of another caller is another record. */
  readonly principal?: string;
  /** What must not change under the key, as JSON. */
  readonly payload?: unknown;
  /** How long a claim holds without a sign of life; prolonged while the function runs. */
  readonly lease: Duration;
}

/** Options with their defaults; durations in ms. */
export interface Settings
  extends Required<Pick<CommonOptions, 'store' | 'onConflict' | 'onUnknown' | 'onMissingKey' | 'isTerminal' | 'mode'>> {
  readonly scope: () => string;
  readonly retention: number;
  readonly clockSkew: number;
  readonly lease: number | undefined;
  readonly functionTimeout: number | undefined;
  readonly records: ((value: unknown) => boolean) | undefined;
  readonly outcomes: Outcomes;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';
const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '' && value.length <= 255;
const isStore = (value: unknown): boolean => isFunction((value as Partial<Store> | undefined | null)?.write);
const isCodec = (value: unknown): boolean => {
  const { name, encode, decode } = (value ?? {}) as Partial<Codec>;
  return isText(name) && name !== 'json' && name !== CLONE.name && isFunction(encode) && isFunction(decode);
};
const isDuration = (): boolean => true; // durationOf says more

export const COMMON_CHECKS: Checks = {
  store: [isStore, 'a store, as dynamoDBStore() makes it'],
  scope: [isText, 'a text of 1 to 255 characters'],
  retention: [isDuration, 'a duration'],
  lease: [isDuration, 'a duration'],
  clockSkew: [isDuration, 'a duration'],
  onConflict: [(value) => value === 'reject' || value === 'wait', "'reject' or 'wait'"],
  onUnknown: [
    (value) => value === 'rerun' || value === 'refuse' || isFunction(value),
    "'rerun', 'refuse', or a function that finds out",
  ],
  onMissingKey: [(value) => value === 'reject' || value === 'run', "'reject' or 'run'"],
  isTerminal: [isFunction, 'a function of the error'],
  records: [isFunction, 'a function of the value'],
  codec: [isCodec, 'a codec { name, encode, decode } by a name of its own'],
  mode: [(value) => value === 'claim' || value === 'atomic', "'claim' or 'atomic'"],
};

export const HANDLER_CHECKS: Checks = {
  ...COMMON_CHECKS,
  key: [isFunction, 'a function of the event'],
  principal: [isFunction, 'a function of the event'],
  fingerprint: [(value) => value === false || isFunction(value), 'a function of the event, or false'],
};

/** Checks the options and fills in the defaults. Throws `CONFIG_INVALID`. */
export function settingsOf(
  of: string,
  options: CommonOptions & { scope?: string; lease?: Duration },
  checks: Checks,
): Settings {
  checkOptions(of, options, checks);
  const {
    store,
    scope,
    lease,
    onConflict = 'reject',
    onUnknown = 'rerun',
    mode = 'claim',
    onMissingKey = 'reject',
    isTerminal = isTerminalError,
    records,
  } = options;
  if (!store) throw new IdempotencyError('CONFIG_INVALID', `${of} needs the option \`store\``);
  return {
    store,
    // The environment is asked at the first request, so that a module with a handler can be imported without one.
    scope: scope === undefined ? environment.scope : () => scope,
    retention: retentionOf(options.retention),
    clockSkew: durationOf('clockSkew', options.clockSkew ?? '1s'),
    lease: lease === undefined ? undefined : positive('lease', lease),
    functionTimeout: environment.functionTimeout(),
    onConflict,
    onUnknown,
    mode,
    onMissingKey,
    isTerminal,
    records,
    outcomes: outcomesOf(options.codec),
  };
}

function retentionOf(option: Duration | undefined): number {
  const least = environment.retention();
  const retention = option === undefined ? (least ?? durationOf('retention', '24h')) : positive('retention', option);
  if (least === undefined || retention >= least) return retention;
  throw new IdempotencyError(
    'CONFIG_INVALID',
    `\`retention\` is shorter than the environment's IDEMPOTENCY_RETENTION: duplicates may come later`,
  );
}

function positive(option: string, value: Duration): number {
  const ms = durationOf(option, value);
  if (ms > 0) return ms;
  throw new IdempotencyError('CONFIG_INVALID', `\`${option}\` must be longer than 0`);
}
