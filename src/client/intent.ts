import { canonical, digest } from './canonical.ts';
import { isDecided } from './decided.ts';
import { named } from './failure.ts';
import { type IntentStorage, type Notes, notesIn } from './notes.ts';
import { alone, turns } from './turns.ts';

export type { IntentStorage } from './notes.ts';

export interface IntentOptions {
  /**
   * Where keys are kept. `localStorage`: one intention for all tabs, if the page is secure and has Web Locks, otherwise for each
   * tab. `sessionStorage`: one for each tab.
   */
  readonly storage: IntentStorage;
}

/** What a user wants done once, however often it is sent. */
export interface Intent {
  /**
   * Calls `call` with the key of this payload, and resolves or rejects as it does. The same payload has the same key until
   * {@link next}; while it is under way, it is called once. Another payload has another key, and waits until what became of
   * earlier ones is known. Payloads are compared as JSON.
   */
  readonly send: <T>(payload: unknown, call: (key: string) => Promise<T>) => Promise<T>;
  /** Ends the intention, when all that is under way is over: whatever is sent from now on is another one. */
  readonly next: () => Promise<void>;
}

/** A payload, and how it is sent. */
interface Order {
  readonly payload: unknown;
  readonly call: (key: string) => Promise<any>;
}

/** What the intents of one name on one storage share in a page. */
interface Page {
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** By payload: what is under way, or waits for it. */
  readonly shared: Map<string, Promise<any>>;
  /** By payload: how this page has sent it. */
  readonly orders: Map<string, Order>;
}

/**
 * One `Idempotency-Key` for what a user wants once: through double clicks, reloads, the back button and other tabs.
 *
 * A payload is undecided until its call resolves, or rejects with the status of an answer: other errors and a Response such as
 * 503 tell nothing. Before another payload is sent, an undecided one is sent again; if this page does not know how (it was
 * reloaded), the other is rejected with an error named `UndecidedError`. Rejects before anything is sent if the storage is
 * full or denied.
 *
 * @example
 * const checkout = intent('checkout', { storage: localStorage });
 * const order = await checkout.send(cart, (key) => place(cart, key)); // and when the user goes on: await checkout.next();
 */
export function intent(name: string, { storage }: IntentOptions): Intent {
  if (!name || !storage?.getItem) throw new TypeError('intent expects a name and a storage');
  const place = `effectively-once:${name}`;
  const page = pageOf(storage, place);
  const notes = notesIn(storage, place);
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => page.inTurn(() => alone(place, storage, work));

  return {
    async send(payload, call) {
      const id = idOf(payload);
      const sent = page.shared.get(id) ?? inTurn(() => sendInTurn(page, notes, id, { payload, call }));
      page.shared.set(id, sent);
      try {
        return await sent;
      } finally {
        if (page.shared.get(id) === sent) page.shared.delete(id);
      }
    },
    next() {
      page.shared.clear();
      return inTurn(async () => {
        notes.forget();
        page.orders.clear();
      });
    },
  };
}

const UNDECIDED = 'an earlier request is undecided: send it or call next()';

async function sendInTurn({ orders }: Page, notes: Notes, id: string, order: Order): Promise<unknown> {
  for (const other of notes.undecided(id)) {
    const again = orders.get(other);
    const error = again && (await called(notes, other, again).catch((error) => error));
    if (notes.undecided(id).includes(other)) throw named('UndecidedError', UNDECIDED, error);
  }
  orders.set(id, order);
  return called(notes, id, order);
}

async function called(notes: Notes, id: string, { payload, call }: Order): Promise<unknown> {
  // What it sends now would be another order, under the key of this one.
  if (idOf(payload) !== id) throw new TypeError('the payload changed');
  const key = notes.keyOf(id);
  try {
    const value = await call(key);
    if (!value?.status || !value.headers?.get || isDecided(value)) notes.decide(id);
    return value;
  } catch (error) {
    if (isDecided((error as any)?.response ?? error)) notes.decide(id);
    throw error;
  }
}

function idOf(payload: unknown): string {
  return digest(canonical(payload));
}

const pages = new WeakMap<IntentStorage, Record<string, Page>>();

function pageOf(storage: IntentStorage, place: string): Page {
  const places = pages.get(storage) ?? {};
  pages.set(storage, places);
  places[place] ??= { inTurn: turns(), shared: new Map(), orders: new Map() };
  return places[place];
}
