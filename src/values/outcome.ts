import { TerminalError } from '../core/errors.ts';
import type { Outcome } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import { CLONE, type Codec, isJson, Lossy } from './codec.ts';

/** The content of an outcome; `unavailable`: why there is none. */
export type Opened = { readonly value: unknown } | { readonly error: unknown } | { readonly unavailable: string };

/** Turns what a run ends with into an outcome, and back. */
export interface Outcomes {
  /** Never throws: the effect has happened. A value that cannot be kept is recorded as done without it. */
  readonly ofValue: (value: unknown) => Outcome;
  /** Keeps name and message of a terminal error, and those of its own properties that can be kept. */
  readonly ofError: (error: unknown) => Outcome;
  /** Gives a fresh copy each time. */
  readonly open: (outcome: Outcome) => Opened;
  /** The same for an outcome whose body the store may keep apart. */
  readonly load: (store: Store, outcome: Outcome) => Promise<Opened>;
}

/** Encodes by `custom`; without it by JSON, which operators can read, if that is lossless, and otherwise by structured clone. */
export function outcomesOf(custom: Codec | undefined): Outcomes {
  const { encoded, decoded } = coding(custom);

  const outcome = (kind: 'value' | 'error', contentOf: () => unknown): Outcome => {
    try {
      return { kind, ...encoded(contentOf()) };
    } catch (error) {
      return { kind: 'unavailable', body: reasonOf('it cannot be encoded', error) };
    }
  };
  const ofValue = (value: unknown): Outcome => outcome('value', () => value);
  const canBeKept = (value: unknown): boolean => ofValue(value).kind !== 'unavailable';

  const open = (outcome: Outcome): Opened => {
    if (outcome.kind === 'unavailable') return { unavailable: outcome.body };
    try {
      const content = outcome.body === undefined ? undefined : decoded(outcome.codec, outcome.body);
      return outcome.kind === 'value' ? { value: content } : { error: errorOf(content as ErrorContent | undefined) };
    } catch (error) {
      return { unavailable: reasonOf('it cannot be decoded', error) };
    }
  };

  return {
    ofValue,
    ofError: (error) => outcome('error', () => contentOf(error, canBeKept)),
    open,
    load: async (store, outcome) => open(store.load ? await store.load(outcome) : outcome),
  };
}

interface Coding {
  readonly encoded: (value: unknown) => { readonly body?: string | Uint8Array; readonly codec?: string };
  readonly decoded: (codec: string | undefined, body: string | Uint8Array) => unknown;
}

function coding(custom: Codec | undefined): Coding {
  const codecs = [CLONE, ...(custom ? [custom] : [])];
  return {
    encoded(value) {
      if (custom) return { body: Uint8Array.from(bytesIn(custom.encode(value))), codec: custom.name };
      if (value === undefined) return {};
      return isJson(value) ? { body: JSON.stringify(value) } : { body: CLONE.encode(value), codec: CLONE.name };
    },

    decoded(codec, body) {
      const bytes = Buffer.from(body as Uint8Array); // a copy: a codec may spoil it
      if (codec === undefined) return JSON.parse(bytes.toString());
      const one = codecs.find(({ name }) => name === codec);
      if (!one) throw new Lossy(`it was written by the codec "${codec}"`);
      return one.decode(bytes);
    },
  };
}

/** What is kept of a terminal error. */
type ErrorContent =
  | { readonly name: string; readonly message: string; readonly own: object }
  | { readonly thrown: unknown };

function contentOf(error: unknown, canBeKept: (value: unknown) => boolean): ErrorContent {
  if (!(error instanceof Error)) return { thrown: error };
  const { name, message, cause } = error;
  const own = Object.entries({ ...(cause !== undefined && { cause }), ...error });
  return {
    name,
    message,
    own: Object.fromEntries(own.filter(([member, value]) => member !== 'name' && canBeKept(value))),
  };
}

function errorOf(content: ErrorContent | undefined): unknown {
  if (!content || !('message' in content)) return content?.thrown;
  const { name, message, own } = content;
  return Object.assign(new TerminalError(message), own, { name });
}

function bytesIn(encoded: unknown): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded;
  throw new Lossy('its codec did not give bytes');
}

// The reason is told to callers, and a message that is not ours may quote the value.
function reasonOf(what: string, error: unknown): string {
  return error instanceof Lossy ? error.message : what;
}
