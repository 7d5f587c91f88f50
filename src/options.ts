import type { Context } from 'aws-lambda';
import { duration, flag, isFunction, type Parsed, positiveDuration, that } from './core/check.ts';
import type { Duration } from './core/duration.ts';
import { IdempotencyError, isTerminalError } from './core/errors.ts';
import { lazy } from './core/lazy.ts';
import { patient } from './core/patience.ts';
import type { Store } from './core/store.ts';
import { DEFAULT_RETENTION_MS, environment, isScope, SCOPE } from './environment.ts';
import type { Reconcile } from './execution.ts';
import { CLONE, type Codec } from './values/codec.ts';
import { type Outcomes, outcomesOf } from './values/outcome.ts';

/** Options of all four doors. */
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
   * shortly before the deadline; without a deadline, for as long as `lease`. A run that waits for its own key is told so by
   * `MISUSE` (behind Middy by `CONFLICT`, in the end).
   * @default - 'reject'; of records of streams and Kafka 'wait', since a failure there blocks all that come behind
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
   * Which returned values are outcomes, and recorded; any other releases the key, so that a retry runs again, and is reported as
   * failed in a batch.
   * @default - all; of HTTP responses every status but 401, 403, 408, 409, 425, 429 and 5xx
   */
  readonly isOutcome?: (value: unknown) => boolean;
  /**
   * Called with the answer to a duplicate before it leaves, for a metric or a header of one's own; awaited for up to a second. The answer is a copy of the
   * recorded value, of an HTTP response with `Idempotent-Replayed`; change it in place. If the function fails, a process warning is
   * emitted and the duplicate is answered all the same. Not called for a recorded error.
   */
  readonly onReplay?: OnReplay;
  /**
   * `'claim'`: a claim is taken before the run. `'atomic'`, for handlers whose only effects are DynamoDB writes: no claim is taken,
   * and `commit` writes outcome and writes in one transaction; one round trip instead of two. Any duplicate may run the handler's
   * code, also at the same time; only its commit is once.
   * @default 'claim'
   */
  readonly mode?: 'claim' | 'atomic';
  /**
   * Whether the record keeps key, operation and caller in clear, for operators to search by, cut so that a claim costs one write unit.
   * @default true
   */
  readonly keepIdentity?: boolean;
  /**
   * How values become bytes: to support more types, or to encrypt them. A value that cannot be encoded is recorded as
   * done without it.
   * @default - JSON where it is lossless, else Node's structured clone: `undefined`, Date, BigInt, Map, Set, bytes, cycles, errors
   */
  readonly codec?: Codec;
}

/** What is known of a duplicate that is answered from the record. */
export interface Duplicate {
  /** The partition key of the record. */
  readonly id: string;
  readonly key: string;
  /** Of the run whose outcome is on record. */
  readonly attempt: number;
}

/** `value`: what the handler had returned, or over HTTP the response. */
export type OnReplay = (value: any, duplicate: Duplicate) => unknown;

/** Options of the wrapper and the middleware; `Event` is what the handler gets, in a batch the record. */
export interface HandlerOptions<Event> extends CommonOptions {
  /**
   * The operation: namespace of its keys. Aliases and versions of a function share it. 1 to 255 characters, without `# * ? $`.
   * @default - `IDEMPOTENCY_SCOPE`, else `AWS_LAMBDA_FUNCTION_NAME`
   */
  readonly scope?: string;
  /**
   * The idempotency key: 1 to 255 printable characters that name one intended operation.
   * @default - from the event source: the `Idempotency-Key` header, the message's or event's id
   */
  readonly key?: (event: Event, context: Context) => string | undefined;
  /**
   * The authenticated caller: the same key of another caller is another record. `undefined`: there is none. `false`: callers share keys.
   * @default - from the event source's authorizer; one that does not say who calls is `CONFIG_INVALID`
   */
  readonly principal?: ((event: Event, context: Context) => string | undefined) | false;
  /**
   * What must not change under a key, as JSON; `false` to accept anything.
   * @default - what the event source calls the payload; of an event of no known source all of it
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
  /** The operation: namespace of its keys. 1 to 255 characters, without `# * ? $`. */
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
export interface Settings extends Required<Pick<CommonOptions, 'onUnknown' | 'onMissingKey' | 'isTerminal' | 'mode'>> {
  /** Undefined: as the event source has it. */
  readonly onConflict: CommonOptions['onConflict'];
  /** The store, with as much patience as `remaining`, in ms, allows in that phase. */
  readonly storeWithin: (remaining: () => number, phase: 'poll' | 'claim' | 'run') => Store;
  readonly scope: () => string;
  readonly retention: number;
  readonly keepIdentity: boolean;
  readonly clockSkew: number;
  readonly lease: number | undefined;
  readonly functionTimeout: number | undefined;
  readonly isOutcome: ((value: unknown) => boolean) | undefined;
  readonly onReplay: OnReplay | undefined;
  readonly outcomes: Outcomes;
}

export interface HandlerSettings<Event> extends Settings, Pick<HandlerOptions<Event>, 'key' | 'fingerprint'> {
  readonly principal: Exclude<HandlerOptions<Event>['principal'], false>;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '' && value.length <= 255;
const isFunctionOrFalse = (value: unknown): boolean => value === false || isFunction(value);
const isStore = (value: unknown): boolean => isFunction((value as Partial<Store> | undefined | null)?.write);
const isCodec = (value: unknown): boolean => {
  const { name, encode, decode } = (value ?? {}) as Partial<Codec>;
  return isText(name) && name !== 'json' && name !== CLONE.name && isFunction(encode) && isFunction(decode);
};
const oneOf = <T extends string>(...names: readonly [T, T]) =>
  that<T>((value) => names.includes(value as T), names.map((name) => `'${name}'`).join(' or '));

/** How the options of all doors are read. */
export const COMMON = {
  store: that<Store>(isStore, 'a store, as dynamoDBStore() makes it'),
  scope: that<string>(isScope, SCOPE),
  retention: positiveDuration,
  lease: positiveDuration,
  clockSkew: duration,
  onConflict: oneOf('reject', 'wait'),
  onUnknown: that<'rerun' | 'refuse' | Reconcile>(
    (value) => value === 'rerun' || value === 'refuse' || isFunction(value),
    "'rerun', 'refuse', or a function that determines the outcome",
  ),
  onMissingKey: oneOf('reject', 'run'),
  isTerminal: that<(error: unknown) => boolean>(isFunction, 'a function of the error'),
  isOutcome: that<(value: unknown) => boolean>(isFunction, 'a function of the value'),
  onReplay: that<OnReplay>(isFunction, 'a function of the value'),
  codec: that<Codec>(isCodec, "a codec { name, encode, decode }, not named 'json' or 'v8'"),
  mode: oneOf('claim', 'atomic'),
  keepIdentity: flag,
};

/** How the options of the wrapper, the middleware and the batch are read. */
export const HANDLER = {
  ...COMMON,
  key: that<HandlerOptions<any>['key']>(isFunction, 'a function of the event'),
  principal: that<HandlerOptions<any>['principal']>(isFunctionOrFalse, 'a function of the event, or false'),
  fingerprint: that<HandlerOptions<any>['fingerprint']>(isFunctionOrFalse, 'a function of the event, or false'),
};

/** Fills in the defaults of options that were read. Throws `CONFIG_INVALID`. */
export function settingsOf(of: string, options: Parsed<typeof COMMON>): Settings {
  const { store, scope, lease, clockSkew = 1_000, isTerminal = isTerminalError, isOutcome } = options;
  const { onConflict, onUnknown = 'rerun', mode = 'claim', onMissingKey = 'reject', onReplay } = options;
  const { keepIdentity = true } = options;
  if (!store) throw new IdempotencyError('CONFIG_INVALID', `${of} needs the option \`store\``);
  return {
    storeWithin: (remaining, phase) => patient(store, remaining, phase),
    // The environment is asked at the first request, so that a module with a handler can be imported without one.
    scope: scope === undefined ? lazy(environment.scope) : () => scope,
    retention: retentionOf(options.retention),
    keepIdentity,
    clockSkew,
    lease,
    functionTimeout: environment.functionTimeout(),
    onConflict,
    onUnknown,
    mode,
    onMissingKey,
    isTerminal: (error) => judged(isTerminal, error, false),
    isOutcome,
    onReplay,
    outcomes: outcomesOf(options.codec),
  };
}

/** The same for the handler of an event. */
export function handlerSettings<Event>(of: string, options: Parsed<typeof HANDLER>): HandlerSettings<Event> {
  const { key, principal, fingerprint, ...common } = options;
  return { ...settingsOf(of, common), key, principal: principal === false ? () => undefined : principal, fingerprint };
}

/** A judgement of the user's that fails must not hide what happened. */
export function judged(judgement: (value: unknown) => boolean, value: unknown, otherwise: boolean): boolean {
  try {
    return judgement(value);
  } catch {
    return otherwise;
  }
}

function retentionOf(option: number | undefined): number {
  const least = environment.retention();
  const retention = option ?? least ?? DEFAULT_RETENTION_MS;
  if (least === undefined || retention >= least) return retention;
  throw new IdempotencyError(
    'CONFIG_INVALID',
    "`retention` is shorter than the environment's IDEMPOTENCY_RETENTION: duplicates may come later",
  );
}
