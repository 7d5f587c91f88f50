import { canonicalJson, NotCanonical } from '../core/canonical.ts';
import { IdempotencyError, isIdempotencyError } from '../core/errors.ts';
import { fingerprintOf, formerFingerprintOf, keyFault } from '../core/identity.ts';
import type { Words } from '../sources/source.ts';

/** A part of what an event says; `KEY_INVALID` or `PAYLOAD_INVALID` if it cannot be had. */
export function fromEvent<T>(what: string, ask: () => T, code: 'KEY_INVALID' | 'PAYLOAD_INVALID' = 'KEY_INVALID'): T {
  try {
    return ask();
  } catch (cause) {
    if (isIdempotencyError(cause)) throw cause;
    throw new IdempotencyError(code, `the event lacks what its ${what} is made of, or has it in another form`, {
      cause,
    });
  }
}

/** The key as a text; undefined: there is none. */
export function keyIn(value: unknown, words: Words): string | undefined {
  const invalid = (what: string): IdempotencyError => new IdempotencyError('KEY_INVALID', `${words.key} ${what}`);
  if (value === undefined || value === null) return undefined;
  if (!['string', 'number', 'boolean', 'bigint'].includes(typeof value) || Number.isNaN(value)) {
    throw invalid(`must be a text, not ${kindOf(value)}`);
  }
  const key = String(value);
  if (key.trim() === '') return undefined;
  const fault = keyFault(key);
  if (fault) throw invalid(fault);
  return key;
}

/** The caller; undefined: there is none. Throws `CONFIG_INVALID`: an empty principal would make all callers share records. */
export function principalIn(ask: () => unknown): string | undefined {
  const invalid = (what: string, cause?: unknown): IdempotencyError =>
    new IdempotencyError('CONFIG_INVALID', `the caller is not known: the option \`principal\` ${what}`, { cause });
  let value: unknown;
  try {
    value = ask();
  } catch (cause) {
    throw isIdempotencyError(cause) ? cause : invalid('threw', cause);
  }
  if (value === undefined || (typeof value === 'string' && value.trim() !== '')) return value;
  throw invalid(`must be, or give, a text that is not empty, or undefined, and not ${kindOf(value)}`);
}

interface Fingerprints {
  readonly fingerprint: string | undefined;
  /** By version 1, for records that have such a one. To be asked before the handler runs. */
  readonly formerFingerprint: (() => string) | undefined;
}

/** `payload` absent: no fingerprint. `formerPayload` absent, or undefined: as `payload`. */
export function fingerprintsOf(
  id: string,
  payload: (() => unknown) | undefined,
  formerPayload: (() => unknown) | undefined,
): Fingerprints {
  if (!payload) return { fingerprint: undefined, formerFingerprint: undefined };
  const text = canonical(fromEvent('payload', payload, 'PAYLOAD_INVALID'));
  const former = (): string => {
    try {
      const payload = formerPayload?.();
      return payload === undefined ? text : canonicalJson(payload);
    } catch {
      return text;
    }
  };
  return { fingerprint: fingerprintOf(text, id), formerFingerprint: () => formerFingerprintOf(former()) };
}

function canonical(payload: unknown): string {
  if (payload instanceof Promise) payload.catch(() => {}); // refused below
  try {
    return canonicalJson(payload ?? null); // no payload differs from every payload
  } catch (cause) {
    const code = cause instanceof NotCanonical ? 'PAYLOAD_INVALID' : 'CONFIG_INVALID';
    const { message } = cause as Error;
    throw new IdempotencyError(code, `the payload cannot be compared with that of a duplicate: ${message}`, { cause });
  }
}

/** For messages. Nobody will wait for a promise: if it is rejected, that must not end the process. */
function kindOf(value: unknown): string {
  if (value instanceof Promise) {
    value.catch(() => {});
    return 'a promise';
  }
  if (value === '') return 'an empty one';
  return Array.isArray(value) ? 'an array' : typeof value;
}
