import { IdempotencyError } from '../core/errors.ts';
import { inTime, patienceFor, persistently } from '../core/patience.ts';
import { type Outcome, type WithBody, withoutBody } from '../core/record.ts';
import type { Store } from '../core/store.ts';
import { CLONE, type Codec, isJson, Lossy } from './codec.ts';
import { briefOf, type ErrorContent, errorOf, taken } from './error.ts';
import { isOutage } from './outage.ts';
import { snapshot } from './snapshot.ts';

/** The content of an outcome. */
export type Content = { readonly value: unknown } | { readonly error: unknown };

/** The same; `unavailable`: why there is none. */
export type Opened = Content | { readonly unavailable: string };

/** The record whose outcome it is. */
export interface RecordContext {
  readonly id: string;
  /** Ms until the deadline. */
  readonly remaining: () => number;
}

/** What goes on record. */
export interface Kept {
  readonly outcome: Outcome;
  /** What the outcome is of, as a duplicate will get it; of one that cannot be kept the value itself; of an error nothing. */
  readonly value: unknown;
}

/** Turns what a run ends with into an outcome, and back. Values and errors are taken as they are when they are given. */
export interface Outcomes {
  /** Never fails: the effect has happened. A value that cannot be kept is recorded as done without it. */
  readonly ofValue: (value: unknown, context: RecordContext) => Kept | Promise<Kept>;
  /** Keeps name, message and status of a terminal error, and those of its members that can be kept. */
  readonly ofError: (error: unknown, context: RecordContext) => Promise<Kept>;
  /** Of the answer that was made of a terminal error; the error, if the answer cannot be kept. */
  readonly ofAnswer: (answer: unknown, error: unknown, context: RecordContext) => Kept | Promise<Kept>;
  /** Gives a fresh copy each time. Throws `STORE_UNAVAILABLE` while the codec is down. */
  readonly open: (outcome: Outcome, context: RecordContext) => Promise<Opened>;
  /** The same for an outcome whose body the store may keep apart. */
  readonly load: (store: Store, outcome: Outcome, context: RecordContext) => Promise<Opened>;
}

/** Encodes by `custom`; without it by JSON, which operators can read, if that is lossless, and otherwise by structured clone. */
export function outcomesOf(custom: Codec | undefined): Outcomes {
  const { encoded, decoded } = coding(custom);

  /** The first of the contents that can be encoded; none: the outcome is without a body. At once, if no codec is asked. */
  const outcome = (
    bare: WithBody,
    [content, ...others]: readonly unknown[],
    context: RecordContext,
  ): Outcome | Promise<Outcome> => {
    const otherwise = (why: unknown): Outcome | Promise<Outcome> =>
      others.length > 0 ? outcome(bare, others, context) : withoutBody(bare, reasonOf('it cannot be encoded', why));
    try {
      const encoding = encoded(content, context);
      if (encoding instanceof Promise) return encoding.then((one) => ({ ...bare, ...one }), otherwise);
      return { ...bare, ...encoding };
    } catch (error) {
      return otherwise(error);
    }
  };

  const open = async (outcome: Outcome, context: RecordContext): Promise<Opened> => {
    if (outcome.kind === 'unavailable') return { unavailable: outcome.body };
    const { kind, error: brief, codec, body } = outcome;
    try {
      const content = body === undefined ? undefined : await decoded(codec, body, context);
      return kind === 'value'
        ? { value: content }
        : { error: errorOf(outcome.error, content as ErrorContent | undefined) };
    } catch (cause) {
      if (isOutage(cause))
        throw new IdempotencyError('STORE_UNAVAILABLE', 'the codec failed', { id: context.id, cause });
      return brief ? { error: errorOf(brief) } : { unavailable: reasonOf('it cannot be decoded', cause) };
    }
  };

  const valued = (bare: WithBody, value: unknown, context: RecordContext): Kept | Promise<Kept> => {
    const copy = snapshot(value);
    const keep = (kept: Outcome): Kept => ({ outcome: kept, value: kept.kind === 'value' ? copy : value });
    const kept = outcome(bare, [copy], context);
    return kept instanceof Promise ? kept.then(keep) : keep(kept);
  };

  return {
    ofValue: (value, context) => valued({ kind: 'value' }, value, context),
    ofError: async (error, context) => {
      const { brief, contents } = taken(error);
      const bare = { kind: 'error', error: brief } as const;
      return { outcome: contents.length > 0 ? await outcome(bare, contents, context) : bare, value: undefined };
    },
    ofAnswer: (answer, error, context) => valued({ kind: 'value', error: briefOf(error) }, answer, context),
    open,
    load: async (store, outcome, context) => {
      const isWhole = outcome.kind === 'unavailable' || !outcome.stored;
      return open(isWhole || !store.load ? outcome : await store.load(outcome, context.id), context);
    },
  };
}

interface Encoded {
  readonly body?: string | Uint8Array;
  readonly codec?: string;
}

interface Coding {
  readonly encoded: (value: unknown, context: RecordContext) => Encoded | Promise<Encoded>;
  readonly decoded: (codec: string | undefined, body: string | Uint8Array, context: RecordContext) => Promise<unknown>;
}

function coding(custom: Codec | undefined): Coding {
  return {
    encoded(value, context) {
      if (custom) return encodedBy(custom, value, context);
      if (value === undefined) return {};
      return isJson(value) ? { body: JSON.stringify(value) } : { body: CLONE.encode(value), codec: CLONE.name };
    },

    async decoded(codec, body, { id, remaining }) {
      const bytes = () => Buffer.from(body as Uint8Array); // a copy: a codec may spoil it
      if (codec === undefined) return JSON.parse(bytes().toString());
      if (codec === CLONE.name) return CLONE.decode(bytes());
      if (codec !== custom?.name) throw new Lossy(`it was written by the codec "${codec}"`);
      const decode = () => inTime(async () => custom.decode(bytes(), { id }), remaining());
      return persistently(decode, isOutage, patienceFor('claim', remaining()));
    },
  };
}

async function encodedBy(codec: Codec, value: unknown, { id, remaining }: RecordContext): Promise<Encoded> {
  const encode = () => inTime(async () => Uint8Array.from(bytesIn(await codec.encode(value, { id }))), remaining());
  return { body: await persistently(encode, isOutage, patienceFor('run', remaining(), 2)), codec: codec.name };
}

function bytesIn(encoded: unknown): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded;
  throw new Lossy('its codec did not give bytes');
}

// The reason is told to callers, and a message that is not ours may quote the value.
function reasonOf(what: string, error: unknown): string {
  if (error instanceof Lossy) return error.message;
  return isOutage(error) ? `its codec failed: ${(error as Partial<Error>).name ?? 'no answer'}` : what;
}
