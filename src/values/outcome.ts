import { CLONE, type Codec, isJson, Lossy } from './codec.ts';
import { TerminalError } from '../core/errors.ts';
import type { Outcome } from '../core/record.ts';
import type { Store } from '../core/store.ts';

/** Makes outcomes of what runs end with, and the other way round. */
export interface Outcomes {
  /** Never throws: the effect has happened, so what cannot be kept is recorded as done without it. */
  readonly ofValue: (value: unknown) => Outcome;
  /** Of a terminal error: its name, message, and what else of it can be kept. */
  readonly ofError: (error: unknown) => Outcome;
  /** The value, or throws the error; a fresh copy each time. `unavailable` makes the error for what was not kept. */
  readonly open: (outcome: Outcome, unavailable: (why: string) => Error) => unknown;
}

/** An outcome of a record, with its body. */
export async function loaded(store: Store, outcome: Outcome): Promise<Outcome> {
  return store.load ? store.load(outcome) : outcome;
}

/** JSON where it is lossless, so that an operator can read it; else `custom`, or Node's structured clone. */
export function outcomesOf(custom: Codec | undefined): Outcomes {
  const codecs = [CLONE, ...(custom ? [custom] : [])];

  const encoded = (value: unknown): { readonly body?: string | Uint8Array; readonly codec?: string } => {
    if (custom) return { body: Uint8Array.from(bytesIn(custom.encode(value))), codec: custom.name };
    if (value === undefined) return {};
    return isJson(value) ? { body: JSON.stringify(value) } : { body: CLONE.encode(value), codec: CLONE.name };
  };

  const decoded = (codec: string | undefined, body: string | Uint8Array): unknown => {
    const bytes = Buffer.from(body as Uint8Array); // a copy: a codec may spoil it
    if (codec === undefined) return JSON.parse(bytes.toString());
    const one = codecs.find(({ name }) => name === codec);
    if (!one) throw new Lossy(`it was written by the codec "${codec}"`);
    return one.decode(bytes);
  };

  const outcome = (kind: 'value' | 'error', contentOf: () => unknown): Outcome => {
    try {
      return { kind, ...encoded(contentOf()) };
    } catch (error) {
      return { kind: 'unavailable', body: reasonOf('it cannot be encoded', error) };
    }
  };

  const ofValue = (value: unknown): Outcome => outcome('value', () => value);

  return {
    ofValue,

    ofError: (error) =>
      outcome('error', () => {
        if (!(error instanceof Error)) return { thrown: error };
        const { name, message, cause } = error;
        const own = Object.entries({ ...(cause !== undefined && { cause }), ...error });
        const kept = own.filter(([member, value]) => member !== 'name' && ofValue(value).kind !== 'unavailable');
        return { name, message, own: Object.fromEntries(kept) };
      }),

    open: (outcome, unavailable) => {
      if (outcome.kind === 'unavailable') throw unavailable(outcome.body);
      let content: any;
      try {
        content = outcome.body === undefined ? undefined : decoded(outcome.codec, outcome.body);
      } catch (error) {
        throw unavailable(reasonOf('it cannot be decoded', error));
      }
      if (outcome.kind === 'value') return content;
      const { thrown, message, own, name } = content ?? {};
      if (message === undefined) throw thrown;
      throw Object.assign(new TerminalError(message), own, { name });
    },
  };
}

function bytesIn(encoded: unknown): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded;
  throw new Lossy('its codec did not give bytes');
}

// Others' words may quote the value, or the code of a function in it, and callers are told the reason.
function reasonOf(what: string, error: unknown): string {
  return error instanceof Lossy ? error.message : what;
}
