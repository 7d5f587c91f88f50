import { TerminalError } from './errors.ts';
import type { Outcome } from './record.ts';

/** An item holds 400 KB; this leaves room for what else a record carries. */
const MAX_BODY_BYTES = 380 * 1024;

/** The outcome of a value. Never throws: the effect has happened, so what cannot be kept is recorded as done without it. */
export function valueOutcome(value: unknown): Outcome {
  return value === undefined ? { kind: 'value' } : encoded('value', () => value);
}

/** The outcome of a terminal error: name, message and what else of it JSON can carry. */
export function errorOutcome(error: unknown): Outcome {
  return encoded('error', () => {
    if (!(error instanceof Error)) return { thrown: error };
    const own = Object.entries(error).filter(([name, value]) => name !== 'name' && isJson(value, []));
    return { name: error.name, message: error.message, own: Object.fromEntries(own) };
  });
}

/** The value, or throws the error; a fresh copy each time. `unavailable` makes the error for a value that was not kept. */
export function openOutcome(outcome: Outcome, unavailable: (why: string) => Error): unknown {
  if (outcome.kind === 'unavailable') throw unavailable(outcome.body);
  const content = outcome.body === undefined ? undefined : JSON.parse(outcome.body);
  if (outcome.kind === 'value') return content;
  if ('thrown' in content) throw content.thrown;
  throw Object.assign(new TerminalError(content.message), content.own, { name: content.name });
}

function encoded(kind: 'value' | 'error', contentOf: () => unknown): Outcome {
  try {
    const content = contentOf();
    if (!isJson(content, [])) return { kind: 'unavailable', body: 'JSON would alter it' };
    const body = JSON.stringify(content);
    const fits = Buffer.byteLength(body) <= MAX_BODY_BYTES;
    return fits ? { kind, body } : { kind: 'unavailable', body: `larger than ${MAX_BODY_BYTES} bytes` };
  } catch (error) {
    return { kind: 'unavailable', body: `it cannot be read: ${error}` }; // a getter that throws
  }
}

/** Whether JSON gives back what went in; members that are undefined aside, which it drops. */
function isJson(value: unknown, path: readonly unknown[]): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || path.includes(value) || path.length > 256) return false;
  const below = [...path, value];
  if (Array.isArray(value) && Object.keys(value).length !== value.length) return false; // holes, or members of its own
  if (Array.isArray(value)) return value.every((element) => isJson(element, below));
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  const prototype = Object.getPrototypeOf(value);
  if ((prototype !== null && prototype !== Object.prototype) || 'toJSON' in value) return false;
  return Object.values(value).every((member) => member === undefined || isJson(member, below));
}
