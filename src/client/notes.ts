import { mintedKey } from './key.ts';

/** As much of a web `Storage` as is used. */
export interface IntentStorage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

/** What is noted of an intention in a storage, where other tabs may change it. */
export interface Notes {
  /** The key of a payload, noted before it is used. */
  readonly keyOf: (id: string) => string;
  /** Notes that the outcome of a payload is known, if that can be noted. */
  readonly decide: (id: string) => void;
  /** Payloads other than this one that were sent, and of which nobody knows what became. */
  readonly undecided: (id: string) => string[];
  readonly forget: () => void;
}

/** By payload: its key, and whether its outcome is known. */
type Noted = Readonly<Record<string, readonly [key: string, isDecided?: 1]>>;

/** Anything else that cannot be read or written is an error. */
export function notesIn(storage: IntentStorage, place: string): Notes {
  const read = (): Noted => tried(() => JSON.parse(storage.getItem(place) as string) ?? {});
  const write = (notes: Noted): void => tried(() => storage.setItem(place, JSON.stringify(notes)));
  return {
    keyOf(id) {
      const notes = read();
      const note = notes[id] ?? [mintedKey()];
      if (!notes[id]) write({ ...notes, [id]: note });
      return note[0];
    },
    decide(id) {
      try {
        const notes = read();
        const note = notes[id]; // none: another tab went on to its next intention
        if (note) write({ ...notes, [id]: [note[0], 1] });
      } catch {
        // It is undecided there; what was answered is answered all the same.
      }
    },
    undecided(id) {
      const notes = read();
      return Object.keys(notes).filter((other) => other !== id && !notes[other]?.[1]);
    },
    forget: () => tried(() => storage.removeItem(place)),
  };
}

function tried<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new Error('the storage failed', { cause });
  }
}
