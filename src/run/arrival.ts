import type { Context } from 'aws-lambda';
import { codeOf, IdempotencyError, isIdempotencyError, misuse } from '../core/errors.ts';
import { type About, isHeard, publish } from '../core/events.ts';
import {
  canonicalJson,
  fingerprintOf,
  formerFingerprintOf,
  keyFault,
  NotCanonical,
  recordId,
} from '../core/identity.ts';
import { type HandlerSettings, judged, type Settings } from '../options.ts';
import type { EventSource, Words } from '../sources/source.ts';
import { shown } from './replay.ts';

/** One request. Its identity is taken on arrival, so a handler may change the event later. */
export interface Arrival {
  /** What events say of it. */
  readonly about: About;
  /** Undefined: its duplicates cannot be recognised. */
  readonly key: string | undefined;
  readonly id: string;
  readonly fingerprint: string | undefined;
  /** The fingerprint by version 1, for records that have such a one. To be asked before the handler runs. */
  readonly formerFingerprint: (() => string) | undefined;
  /** May run without a key: its method is idempotent, or it is never recorded. */
  readonly isNatural: boolean;
  /** Whether a returned value is an outcome. If the judgement itself fails, it is. */
  readonly isOutcome: (value: unknown) => boolean;
  /** The answer to a duplicate, made of the recorded value. `attempt`: of the run that it is of. */
  readonly replay: (value: unknown, attempt: number) => Promise<unknown>;
  /** Whether somebody wants to see it. */
  readonly isReplayWatched: boolean;
  readonly words: Words;
  /** Ms until the invocation's deadline; undefined: unknown. */
  readonly remaining: () => number | undefined;
  /** Whether the invocation's context says so, and not the environment in its place. */
  readonly isDeadlineTold: boolean;
}

interface IdentityParts extends Pick<Arrival, 'isOutcome' | 'words' | 'remaining' | 'isDeadlineTold'> {
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
  const isNever = fromEvent('method', isExempt);
  const key = isNever ? undefined : keyIn(fromEvent('key', parts.key), words);
  const common = {
    key,
    isNatural: isNever || fromEvent('method', isNatural),
    isOutcome: (value: unknown) => judged(isOutcome, value, true),
    isReplayWatched: settings.onReplay !== undefined,
    words,
    remaining,
    isDeadlineTold,
  };
  if (key === undefined) return { ...common, ...UNIDENTIFIED, about };
  const principal = principalIn(parts.principal);
  const id = fromEvent('operation', () => recordId(scope, operation(), principal, key));
  return {
    ...common,
    about: { ...about, id },
    id,
    ...fingerprints(id, parts),
    replay: async (value, attempt) => {
      const answer = replay(value);
      await shown(settings, answer, { id, key, attempt }, remaining() ?? Number.POSITIVE_INFINITY);
      return answer;
    },
  };
}

const UNIDENTIFIED = {
  id: '',
  fingerprint: undefined,
  formerFingerprint: undefined,
  replay: async (value: unknown): Promise<unknown> => value,
};

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
  return arrivalOf(about, settings, () => {
    refuseUnsupported(context);
    return {
      scope: about.scope || settings.scope(), // which throws if there is none
      operation: () => source.operation(event),
      key: () => (key ? key(event, context as Context) : source.key(event)),
      principal: () => (principal ? principal(event, context as Context) : source.principal(event)),
      payload: fingerprint === false ? undefined : () => (fingerprint ?? source.payload)(event),
      formerPayload: () => (fingerprint ? undefined : source.formerPayload(event)),
      isNatural: () => source.isNatural(event),
      isExempt: () => source.isExempt(event),
      isOutcome,
      replay: (value) => source.replay(value, event),
      words: worded(source.words, settings),
      remaining: () => toldBy(context) ?? supposed(invokedAt, functionTimeout),
      isDeadlineTold: toldBy(context) !== undefined,
    };
  });
}

/** The words of the source, but for what the options have taken from it. */
function worded<E>(words: Words, { key, fingerprint }: Pick<HandlerSettings<E>, 'key' | 'fingerprint'>): Words {
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

function keyIn(value: unknown, words: Words): string | undefined {
  const invalid = (what: string): IdempotencyError => new IdempotencyError('KEY_INVALID', `${words.key} ${what}`);
  if (value === undefined || value === null) return undefined;
  if (!['string', 'number', 'boolean', 'bigint'].includes(typeof value) || Number.isNaN(value)) {
    throw invalid(`must be a text, not ${Array.isArray(value) ? 'an array' : typeof value}`);
  }
  const key = String(value);
  if (key.trim() === '') return undefined;
  const fault = keyFault(key);
  if (fault) throw invalid(fault);
  return key;
}

// An empty principal would make all callers share records.
function principalIn(ask: () => unknown): string | undefined {
  const fail = (what: string, cause?: unknown): IdempotencyError =>
    new IdempotencyError('CONFIG_INVALID', `the option \`principal\` ${what}`, { cause });
  let value: unknown;
  try {
    value = ask();
  } catch (cause) {
    throw isIdempotencyError(cause) ? cause : fail('threw: the caller is not known', cause);
  }
  if (value === undefined || (typeof value === 'string' && value.trim() !== '')) return value;
  throw fail('must be, or give, a text that is not empty, or undefined');
}

function fromEvent<T>(what: string, ask: () => T, code: 'KEY_INVALID' | 'PAYLOAD_INVALID' = 'KEY_INVALID'): T {
  try {
    return ask();
  } catch (cause) {
    if (isIdempotencyError(cause)) throw cause;
    throw new IdempotencyError(code, `the event does not have what its ${what} is made of, or has it in another form`, {
      cause,
    });
  }
}

function fingerprints(
  id: string,
  { payload, formerPayload }: Pick<IdentityParts, 'payload' | 'formerPayload'>,
): Pick<Arrival, 'fingerprint' | 'formerFingerprint'> {
  if (!payload) return { fingerprint: undefined, formerFingerprint: undefined };
  const text = canonical(fromEvent('payload', payload, 'PAYLOAD_INVALID'));
  const formerText = (): string => {
    const former = formerPayload && attempted(formerPayload);
    return former === undefined ? text : (attempted(() => canonicalJson(former)) ?? text);
  };
  return { fingerprint: fingerprintOf(text, id), formerFingerprint: () => formerFingerprintOf(formerText()) };
}

function canonical(payload: unknown): string {
  try {
    return canonicalJson(payload ?? null); // no payload differs from every payload
  } catch (cause) {
    const code = cause instanceof NotCanonical ? 'PAYLOAD_INVALID' : 'CONFIG_INVALID';
    const { message } = cause as Error;
    throw new IdempotencyError(code, `the payload cannot be compared with that of a duplicate: ${message}`, { cause });
  }
}
