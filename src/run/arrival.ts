import type { Context } from 'aws-lambda';
import { codeOf, misuse } from '../core/errors.ts';
import { type About, isHeard, publish } from '../core/events.ts';
import { identityOf, recordId } from '../core/identity.ts';
import { lazy } from '../core/lazy.ts';
import type { Identity } from '../core/record.ts';
import { type HandlerSettings, judged, type Settings } from '../options.ts';
import type { EventSource, OnConflict, Words } from '../sources/source.ts';
import { fingerprintsOf, fromEvent, keyIn, principalIn } from './identity.ts';
import { shown } from './replay.ts';

/** One request. Its identity is taken on arrival, so a handler may change the event later. */
export interface Arrival extends ReturnType<typeof fingerprintsOf> {
  /** What events say of it. */
  readonly about: About;
  /** Undefined: its duplicates cannot be recognised. */
  readonly key: string | undefined;
  /** Empty without a key. */
  readonly id: string;
  /** What the record says in clear. */
  readonly identity: Identity | undefined;
  /** May run without a key: its method is idempotent, or it is never recorded. */
  readonly isNatural: boolean;
  /** Whether a returned value is an outcome. If the judgement itself fails, it is. */
  readonly isOutcome: (value: unknown) => boolean;
  /** The answer to a duplicate, made of the recorded value. `attempt`: of the run that recorded it. */
  readonly replay: (value: unknown, attempt: number) => Promise<unknown>;
  /** Whether `onReplay` is set. */
  readonly isReplayWatched: boolean;
  readonly onConflict: OnConflict;
  /** Instead of waiting for another run, it says so. */
  readonly mayDefer?: boolean;
  /**
   * Ms that must be left when it has waited for another run.
   * @default - the reserve for the answer
   */
  readonly leastAfterWait?: () => number;
  readonly words: Words;
  /** Ms until the invocation's deadline; undefined: unknown. */
  readonly remaining: () => number | undefined;
  /** Whether the invocation's context says so, and not the environment in its place. */
  readonly isDeadlineTold: boolean;
}

interface IdentityParts extends Pick<Arrival, 'isOutcome' | 'words' | 'remaining' | 'isDeadlineTold'> {
  /** @default 'reject' */
  readonly onConflict?: OnConflict | undefined;
  readonly scope: string;
  readonly operation?: () => readonly string[];
  readonly key: () => unknown;
  readonly principal: () => unknown;
  /** Absent: no fingerprint. */
  readonly payload: (() => unknown) | undefined;
  /** Absent, or undefined: as `payload`. */
  readonly formerPayload?: () => unknown;
  readonly isNatural?: () => boolean;
  readonly isExempt?: () => boolean;
  /** @default - the value */
  readonly replay?: (value: unknown) => unknown;
}

/**
 * Throws `KEY_INVALID` for an invalid key, and for an event that its source would not send; `PAYLOAD_INVALID` for a payload without a
 * canonical form; `CONFIG_INVALID` for a caller that nobody names, and for a payload that JSON cannot express. Whatever it throws is
 * told as a refusal.
 */
export function arrivalOf(about: About, settings: Settings, partsOf: () => IdentityParts): Arrival {
  try {
    return identified(about, settings, partsOf());
  } catch (error) {
    throw refused(about, error);
  }
}

/** Tells that an arrival is refused, and returns the error to throw. */
export function refused(about: About, error: unknown): unknown {
  publish(about, { type: 'refused', code: codeOf(error), error });
  return error;
}

function identified(about: About, settings: Settings, parts: IdentityParts): Arrival {
  const { scope, operation = () => [], isNatural = () => false, isExempt = () => false } = parts;
  const { isOutcome, replay = (value) => value, words, remaining, isDeadlineTold } = parts;
  const isNever = fromEvent('operation', isExempt);
  const key = isNever ? undefined : keyIn(fromEvent('key', parts.key), words);
  const isKeyed = key !== undefined;
  const mayRun = isNever || fromEvent('method', isNatural);
  const principal = isKeyed ? principalIn(parts.principal) : undefined;
  const of = isKeyed ? fromEvent('operation', operation) : [];
  const id = isKeyed ? fromEvent('operation', () => recordId(scope, of, principal, key)) : '';
  const { fingerprint, formerFingerprint } = fingerprintsOf(
    id,
    isKeyed ? parts.payload : undefined,
    parts.formerPayload,
  );
  return {
    about: isKeyed ? { ...about, id } : about,
    key,
    id,
    identity: settings.keepIdentity ? identityOf(id, { key, operation: of.join(' '), principal }) : undefined,
    fingerprint,
    formerFingerprint,
    isNatural: mayRun,
    isOutcome: (value) => judged(isOutcome, value, true),
    replay: async (value, attempt) => {
      const answer = replay(value);
      await shown(settings, answer, { id, key: String(key), attempt }, remaining() ?? Number.POSITIVE_INFINITY);
      return answer;
    },
    isReplayWatched: settings.onReplay !== undefined,
    onConflict: settings.onConflict ?? parts.onConflict ?? 'reject',
    words,
    remaining,
    isDeadlineTold,
  };
}

/** An event at a handler. */
export interface Invocation<E> {
  readonly event: E;
  readonly context: Context | undefined;
  /** Epoch ms. A record of a batch may wait for its turn: its invocation began earlier. */
  readonly invokedAt?: number;
}

/** What events say of an invocation, or of one record in it. The scope is empty if none is configured. */
export function aboutOf<E>(
  { scope }: Settings,
  { name, read, trace }: Pick<EventSource<E, any>, 'name' | 'read' | 'trace'>,
  { event, context }: Invocation<E>,
): About {
  const traced = isHeard() ? attempted(() => trace(read(event))) : undefined;
  return {
    scope: attempted(scope) ?? '',
    source: name,
    requestId: context?.awsRequestId,
    trace: typeof traced === 'string' ? traced : undefined,
  };
}

/** The arrival of an event at a handler. The event's source supplies what the options leave out. */
export function eventArrival<E, Read>(
  about: About,
  settings: HandlerSettings<E>,
  source: EventSource<E, Read>,
  { event, context, invokedAt = Date.now() }: Invocation<E>,
): Arrival {
  const { key, principal, fingerprint, isOutcome = source.isOutcome, functionTimeout } = settings;
  return arrivalOf(about, settings, () => {
    refuseUnsupported(context);
    const read = lazy(() => source.read(event));
    return {
      scope: about.scope || settings.scope(), // which throws if there is none
      operation: () => source.operation(read()),
      key: () => (key ? key(event, context as Context) : source.key(read())),
      principal: () => (principal ? principal(event, context as Context) : source.principal(read())),
      payload: fingerprint === false ? undefined : () => (fingerprint ? fingerprint(event) : source.payload(read())),
      formerPayload: () => (fingerprint ? undefined : source.formerPayload(read())),
      isNatural: () => source.isNatural(read()),
      isExempt: () => source.isExempt(read()),
      isOutcome,
      replay: (value) => source.replay(value, event),
      onConflict: source.onConflict,
      words: worded(source.words, settings),
      remaining: () => remainingOf({ context, invokedAt }, functionTimeout),
      isDeadlineTold: toldBy(context) !== undefined,
    };
  });
}

/** The source's words, except where an option replaces the source. */
function worded<E>(words: Words, { key, fingerprint }: Pick<HandlerSettings<E>, 'key' | 'fingerprint'>): Words {
  if (!key && !fingerprint) return words;
  return {
    ...words,
    ...(key && { key: 'the option `key`', missing: 'the option `key` gives none for this event' }),
    ...(fingerprint && { mismatch: 'another payload, as the option `fingerprint` takes it from the event' }),
  };
}

function attempted<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/** Ms until the deadline of an invocation; undefined: unknown. */
export function remainingOf(
  { context, invokedAt }: Required<Pick<Invocation<unknown>, 'context' | 'invokedAt'>>,
  functionTimeout: number | undefined,
): number | undefined {
  return toldBy(context) ?? supposed(invokedAt, functionTimeout);
}

/** Ms that the context says remain. A local runtime may pass no context, or a wrong one. */
function toldBy(context: Context | undefined): number | undefined {
  const ms: unknown = context?.getRemainingTimeInMillis?.();
  return typeof ms === 'number' && Number.isFinite(ms) ? ms : undefined; // 0 is a value
}

/** Ms that remain by the environment's word. */
function supposed(invokedAt: number, functionTimeout: number | undefined): number | undefined {
  return functionTimeout === undefined ? undefined : Math.max(0, invokedAt + functionTimeout - Date.now());
}

// A recorded value cannot hold the answer of either.
function refuseUnsupported(context: object | undefined): void {
  if (!context) return;
  if ('lambdaContext' in context && 'step' in context) {
    throw misuse('a durable function cannot be wrapped: its execution name is its idempotency key');
  }
  if ('write' in context && 'end' in context) {
    throw misuse('a streamed response cannot be recorded, so its handler cannot be wrapped');
  }
}
