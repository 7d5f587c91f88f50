import type { Context } from 'aws-lambda';
import { codeOf, IdempotencyError, isIdempotencyError, misuse } from '../core/errors.ts';
import { type About, isHeard, publish } from '../core/events.ts';
import { fingerprintOf, NotCanonical, recordId } from '../core/identity.ts';
import { type HandlerSettings, judged, type Settings } from '../options.ts';
import type { EventSource } from '../sources/source.ts';

/** One request. Its identity is taken on arrival, so a handler may change the event later. */
export interface Arrival {
  /** What events say of it. */
  readonly about: About;
  /** Undefined: its duplicates cannot be recognised. */
  readonly key: string | undefined;
  readonly id: string;
  readonly fingerprint: string | undefined;
  /** Idempotent by its method: may run without a key. */
  readonly isNatural: boolean;
  /** Whether a returned value is an outcome. If the judgement itself fails, it is. */
  readonly isOutcome: (value: unknown) => boolean;
  /** Ms until the invocation's deadline; undefined: unknown. */
  readonly remaining: () => number | undefined;
  /** Whether the invocation's context says so, and not the environment in its place. */
  readonly isDeadlineTold: boolean;
}

interface IdentityParts extends Pick<Arrival, 'isOutcome' | 'remaining' | 'isDeadlineTold'> {
  readonly scope: string;
  readonly operation?: () => readonly string[];
  readonly key: () => unknown;
  readonly principal: () => unknown;
  /** Absent: no fingerprint. */
  readonly payload: (() => unknown) | undefined;
  readonly isNatural?: () => boolean;
}

/**
 * Throws `KEY_INVALID` for an invalid key or principal, and for an event that its source would not send; `CONFIG_INVALID` for a
 * payload that JSON cannot express. Whatever it throws is told as a refusal.
 */
export function arrivalOf(about: About, partsOf: () => IdentityParts): Arrival {
  try {
    return identified(about, partsOf());
  } catch (error) {
    throw refused(about, error);
  }
}

/** Tells that an arrival is refused, and returns the error to throw. */
export function refused(about: About, error: unknown): unknown {
  publish(about, { type: 'refused', code: codeOf(error), error });
  return error;
}

function identified(about: About, parts: IdentityParts): Arrival {
  const { scope, operation = () => [], isNatural = () => false, isOutcome, remaining, isDeadlineTold } = parts;
  const common = {
    isNatural: fromEvent('method', isNatural),
    isOutcome: (value: unknown) => judged(isOutcome, value, true),
    remaining,
    isDeadlineTold,
  };
  const key = keyIn(fromEvent('key', parts.key));
  if (key === undefined) return { ...common, about, key, id: '', fingerprint: undefined };
  const principal = principalIn(fromEvent('principal', parts.principal));
  const id = fromEvent('operation', () => recordId(scope, operation(), principal, key));
  return { ...common, about: { ...about, id }, key, id, fingerprint: fingerprint(parts.payload) };
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
  { name, trace }: Pick<EventSource<E>, 'name' | 'trace'>,
  { event, context }: Invocation<E>,
): About {
  const traced = isHeard() ? trace(event) : undefined;
  return {
    scope: attempted(scope) ?? '',
    source: name,
    requestId: context?.awsRequestId,
    trace: typeof traced === 'string' ? traced : undefined,
  };
}

/** The arrival of an event at a handler. The event's source supplies what the options leave out. */
export function eventArrival<E>(
  about: About,
  settings: HandlerSettings<E>,
  source: EventSource<E>,
  { event, context, invokedAt = Date.now() }: Invocation<E>,
): Arrival {
  const { key, principal, fingerprint, isOutcome = source.isOutcome, functionTimeout } = settings;
  const payload = fingerprint === false ? undefined : (fingerprint ?? source.payload);
  return arrivalOf(about, () => {
    refuseUnsupported(context);
    return {
      scope: about.scope || settings.scope(), // which throws if there is none
      operation: () => source.operation(event),
      key: () => (key ? key(event, context as Context) : source.key(event)),
      principal: () => (principal ? principal(event, context as Context) : source.principal(event)),
      payload: payload && (() => payload(event)),
      isNatural: () => source.isNatural(event),
      isOutcome,
      remaining: () => toldBy(context) ?? supposed(invokedAt, functionTimeout),
      isDeadlineTold: toldBy(context) !== undefined,
    };
  });
}

function attempted<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
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

function keyIn(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (!['string', 'number', 'boolean', 'bigint'].includes(typeof value) || Number.isNaN(value)) {
    throw invalidKey(`must be a text, not ${Array.isArray(value) ? 'an array' : typeof value}`);
  }
  const key = String(value);
  if (key.trim() === '') return undefined;
  if (key.length > 255) throw invalidKey('is longer than 255 characters');
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(key)) throw invalidKey('has characters that cannot be printed');
  return key;
}

function invalidKey(what: string): IdempotencyError {
  return new IdempotencyError('KEY_INVALID', `the key (the Idempotency-Key header, or the option \`key\`) ${what}`);
}

// An empty principal would make all callers share records.
function principalIn(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new IdempotencyError('KEY_INVALID', 'the option `principal` must give a text that is not empty, or undefined');
}

function fromEvent<T>(what: string, ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    if (isIdempotencyError(cause)) throw cause;
    throw new IdempotencyError('KEY_INVALID', `no ${what} could be taken from the event`, { cause });
  }
}

function fingerprint(ask: (() => unknown) | undefined): string | undefined {
  if (!ask) return undefined;
  const payload = fromEvent('payload', ask);
  try {
    return fingerprintOf(payload ?? null); // no payload differs from every payload
  } catch (cause) {
    const code = cause instanceof NotCanonical ? 'KEY_INVALID' : 'CONFIG_INVALID';
    throw new IdempotencyError(code, `no fingerprint can be taken of the payload: ${cause}`, { cause });
  }
}
