import { CLONE, type Codec, isJson } from './codec.ts';
import { TerminalError } from './core/errors.ts';
import type { Outcome } from './core/record.ts';
import type { Store } from './core/store.ts';

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
    if (custom) return { body: custom.encode(value), codec: custom.name };
    if (value === undefined) return {};
    return isJson(value) ? { body: JSON.stringify(value) } : { body: CLONE.encode(value), codec: CLONE.name };
  };

  const decoded = (codec: string | undefined, body: string | Uint8Array): unknown => {
    const bytes = Buffer.from(body as Uint8Array); // a copy: what is read may be a view of what it was read from
    if (codec === undefined) return JSON.parse(bytes.toString());
    const one = codecs.find(({ name }) => name === codec);
    if (!one) throw new Error(`it was written by the codec "${codec}"`);
    return one.decode(bytes);
  };

  const outcome = (kind: 'value' | 'error', contentOf: () => unknown): Outcome => {
    try {
      return { kind, ...encoded(contentOf()) };
    } catch (error) {
      return { kind: 'unavailable', body: `it cannot be encoded: ${error}` };
    }
  };

  const canKeep = (value: unknown): boolean => {
    try {
      return encoded(value) !== undefined;
    } catch {
      return false;
    }
  };

  return {
    ofValue: (value) => outcome('value', () => value),

    ofError: (error) =>
      outcome('error', () => {
        if (!(error instanceof Error)) return { thrown: error };
        const own = Object.entries(error).filter(([name, value]) => name !== 'name' && canKeep(value));
        return { name: error.name, message: error.message, own: Object.fromEntries(own) };
      }),

    open: (outcome, unavailable) => {
      if (outcome.kind === 'unavailable') throw unavailable(outcome.body);
      let content: any;
      try {
        content = outcome.body === undefined ? undefined : decoded(outcome.codec, outcome.body);
      } catch (error) {
        throw unavailable(`it cannot be decoded: ${error}`);
      }
      if (outcome.kind === 'value') return content;
      if ('thrown' in content) throw content.thrown;
      throw Object.assign(new TerminalError(content.message), content.own, { name: content.name });
    },
  };
}
