import { KEY_HEADER, keyIn, mintedKey } from './key.ts';
import type { Settings } from './options.ts';

type Fetch = typeof globalThis.fetch;
type Input = Parameters<Fetch>[0];
type Init = Exclude<Parameters<Fetch>[1], undefined>;

/** What a caller asked for, and how it is sent. */
export interface Asked {
  /** Without quotes. */
  readonly key: string | undefined;
  readonly origin: string;
  /** Whether it may be sent again: without a second effect, and with the same body. */
  readonly replayable: boolean;
  readonly signal: AbortSignal | undefined;
  /** Whether an answer came from a server of which it is not known that it honours the key, and should. */
  readonly isAstray: (response: Response) => boolean;
  readonly send: (signal: AbortSignal) => Promise<Response>;
}

/** A Request must live as long as its signal, or the signal never hears of what it follows. */
const owners = new WeakMap<AbortSignal, Request>();

/** Rejects with a `TypeError` for what `fetch` would refuse, and for a key that cannot be one; nothing is sent then. */
export async function askedOf(send: Fetch, input: Input, init: Init, settings: Settings): Promise<Asked> {
  for (const one of [input, init]) if (one instanceof Request) owners.set(one.signal, one);
  if (init instanceof Request) return askedOf(send, new Request(input, init), { signal: init.signal }, settings);
  const { body, signal = (input as Partial<Request>).signal } = init;
  const isStream = body instanceof ReadableStream || Symbol.asyncIterator in Object(body);
  const view = new Request(input, isStream ? { ...init, body: null } : init);
  const { origin } = new URL(view.url);
  const isNatural = /^(GET|HEAD|OPTIONS|PUT|DELETE)$/.test(view.method); // RFC 9110 §9.2.2
  if (!keyIn(view.headers) && settings.origins.has(origin) && /^(POST|PATCH)$/i.test(view.method)) {
    const minted = mintedKey();
    view.headers.set(KEY_HEADER, settings.keyFormat === 'bare' ? minted : `"${minted}"`);
  }
  const key = keyIn(view.headers); // a minted one is refused where a page asks for `no-cors`
  return {
    key,
    origin,
    replayable: !isStream && (isNatural || key !== undefined),
    signal: signal ?? undefined,
    isAstray: ({ redirected, url }) =>
      redirected && !isNatural && ![origin, ...settings.origins].includes(new URL(url).origin),
    send: await sending(send, input, init, view, isStream),
  };
}

async function sending(
  send: Fetch,
  input: Input,
  init: Init,
  view: Request,
  isStream: boolean,
): Promise<Asked['send']> {
  const { body, headers, method, ...rest } = init;
  if (input instanceof Request && !isStream) {
    // The body is kept by the original, and each attempt has a copy. Any init would reset these two.
    const { referrer, referrerPolicy } = view;
    return (signal) => send(view.clone(), { referrer, referrerPolicy, ...rest, signal } as Init);
  }
  // It goes on in its form, as a wrapper of `fetch` may add headers to it. What could change until it is sent again (a URL, a
  // form, bytes) is copied once; a form keeps its boundary.
  const target = input instanceof URL ? input.href : input;
  const isFixed = isStream || !body || typeof body === 'string' || body instanceof Blob;
  const sent = { ...init, headers: Object.fromEntries(view.headers), body: isFixed ? body : await view.blob() };
  return (signal) => send(target, { ...sent, signal } as Init);
}
