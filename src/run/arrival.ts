import type { Context } from 'aws-lambda';
import { IdempotencyError, misuse } from '../core/errors.ts';
import { fingerprintOf, NotCanonical, recordId } from '../core/identity.ts';
import type { HandlerOptions, Settings } from '../options.ts';
import type { EventSource } from '../sources/source.ts';

/** One request as it arrived: its identity is taken now, whatever the handler does to the event later. */
export interface Arrival {
  readonly scope: string;
  /** `undefined`: nothing to recognise a duplicate by. */
  readonly key: string | undefined;
  readonly id: string;
  readonly fingerprint: string | undefined;
  /** May run without a key. */
  readonly isNatural: boolean;
  /** Which returned values are recorded. */
  readonly records: (value: unknown) => boolean;
  /** Ms until the invocation's deadline; `undefined` where nobody knows. */
  readonly remaining: () => number | undefined;
}

interface Parts extends Pick<Arrival, 'scope' | 'records' | 'remaining'> {
  readonly operation?: () => readonly string[];
  readonly key: () => unknown;
  readonly principal: () => unknown;
  /** Absent: no fingerprint. */
  readonly payload: (() => unknown) | undefined;
  readonly isNatural?: () => boolean;
}

/**
 * Throws `KEY_INVALID` for a key or principal that is none, and for an event that is not what its source sends; `CONFIG_INVALID`
 * for a payload of things that JSON does not have.
 */
export function arrivalOf(parts: Parts): Arrival {
  const { operation = () => [], isNatural = () => false, scope, records, remaining } = parts;
  const common = { scope, isNatural: asked('method', isNatural), records, remaining };
  const key = keyOf(asked('key', parts.key));
  if (key === undefined) return { ...common, key, id: '', fingerprint: undefined };
  const principal = principalOf(asked('principal', parts.principal));
  const id = asked('operation', () => recordId(scope, operation(), principal, key));
  return { ...common, key, id, fingerprint: fingerprint(parts.payload) };
}

/** The arrival of an event at a handler: what the options do not say, the event's source does. */
export function eventArrival<E>(
  settings: Settings,
  options: HandlerOptions<E>,
  source: EventSource<E>,
  event: E,
  context: Context | undefined,
  invokedAt: number = Date.now(),
): Arrival {
  refuseUnsupported(context);
  const { key, principal, fingerprint } = options;
  const payload = fingerprint === false ? undefined : (fingerprint ?? source.payload);
  return arrivalOf({
    scope: settings.scope(),
    operation: () => source.operation(event),
    key: () => (key ? key(event, context as Context) : source.key(event)),
    principal: () => (principal ? principal(event, context as Context) : source.principal(event)),
    payload: payload && (() => payload(event)),
    isNatural: () => source.isNatural(event),
    records: settings.records ?? source.records,
    remaining: () => remainingOf(context, invokedAt, settings.functionTimeout),
  });
}

// A context may be missing, or not say the truth, as in local runtimes: no invocation outlives its function's timeout.
function remainingOf(
  context: Context | undefined,
  invokedAt: number,
  functionTimeout: number | undefined,
): number | undefined {
  const said = context?.getRemainingTimeInMillis?.();
  const left = functionTimeout === undefined ? undefined : Math.max(0, invokedAt + functionTimeout - Date.now());
  const known = [said, left].filter((ms) => Number.isFinite(ms)) as number[]; // 0 is a value
  return known.length > 0 ? Math.min(...known) : undefined;
}

// Both answer in ways that one record of a value cannot hold.
function refuseUnsupported(context: object | undefined): void {
  if (!context) return;
  if ('lambdaContext' in context && 'step' in context) {
    throw misuse('a durable function cannot be wrapped: its execution name is its idempotency key');
  }
  if ('write' in context && 'end' in context) {
    throw misuse('a streamed response cannot be recorded, so its handler cannot be wrapped');
  }
}

function keyOf(value: unknown): string | undefined {
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

// A caller who is nobody would share records with everybody.
function principalOf(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new IdempotencyError('KEY_INVALID', 'the option `principal` must give a text that is not empty, or undefined');
}

function asked<T>(what: string, ask: () => T): T {
  try {
    return ask();
  } catch (cause) {
    if (cause instanceof IdempotencyError) throw cause;
    throw new IdempotencyError('KEY_INVALID', `no ${what} could be taken from the event`, { cause });
  }
}

function fingerprint(ask: (() => unknown) | undefined): string | undefined {
  if (!ask) return undefined;
  const payload = asked('payload', ask);
  try {
    return fingerprintOf(payload ?? null); // nothing is a payload, too: another than anything
  } catch (cause) {
    const code = cause instanceof NotCanonical ? 'KEY_INVALID' : 'CONFIG_INVALID';
    throw new IdempotencyError(code, `no fingerprint can be taken of the payload: ${cause}`, { cause });
  }
}
