import { IdempotencyError, misuse } from '../core/errors.ts';
import type { Clause, Found, ScanPage, Store } from '../core/store.ts';
import { forOperators } from './for-operators.ts';
import { paced } from './pace.ts';

/** How a table is gone through. */
export interface WalkOptions {
  readonly where: readonly Clause[];
  readonly isWhole: boolean;
  readonly unitsPerSecond: number;
  readonly segments: number;
  /** A token of an earlier walk. */
  readonly from: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Where a walk is, and what it has taken. */
export interface Progress {
  /** Items that were looked at. */
  readonly scanned: number;
  readonly readUnits: number;
  /** Items that are no records: another tool's, a later version's, and damaged ones. */
  readonly foreign: number;
  readonly newer: number;
  readonly damaged: number;
  /** What one of them is said to be. */
  readonly why?: string;
  /** For `from`: what was given so far is not given again. Absent: it is over. */
  readonly token?: string;
}

export interface Walk {
  readonly found: () => AsyncGenerator<Found, void, undefined>;
  readonly progress: () => Progress;
}

/**
 * Goes through all items of a table, of each segment one page at a time. Throws `CONFIG_INVALID` for a table of another tool, as its first items
 * tell, and for a token that is none; `MISUSE` for a store that cannot be scanned.
 */
export function walk(store: Store, options: WalkOptions): Walk {
  const places = placesOf(options.from, options.segments);
  const count = { scanned: 0, readUnits: 0, foreign: 0, newer: 0, damaged: 0 };
  let why: string | undefined;
  const isOver = (): boolean => places.every(({ isOver }) => isOver);

  const refuseForeign = (): void => {
    const isTelling = count.scanned >= TELLING || isOver();
    if (count.foreign === 0 || count.foreign < count.scanned || !isTelling) return;
    const message = `the table holds no records of effectively-once: its items were written by another tool (${why})`;
    throw new IdempotencyError('CONFIG_INVALID', message);
  };

  async function* found(): AsyncGenerator<Found, void, undefined> {
    for await (const { place, page } of pagesOf(store, options, places)) {
      count.scanned += page.scanned;
      count.readUnits += page.readUnits;
      for (const one of page.found) {
        place.after = one.id;
        if (one.kind !== 'record' && one.kind !== 'part') {
          count[one.kind]++;
          why ??= one.why;
        }
        yield one;
      }
      place.after = page.next;
      place.isOver = page.next === undefined;
      refuseForeign();
    }
  }

  return {
    found,
    progress: () => ({ ...count, ...(why !== undefined && { why }), ...(!isOver() && { token: tokenOf(places) }) }),
  };
}

/** Items of which none is a record when the table is another tool's. */
const TELLING = 100;

/** Where a segment goes on. */
interface Place {
  readonly segment: number;
  /** Absent: at its begin. */
  after?: string | undefined;
  isOver: boolean;
}

interface Arrived {
  readonly place: Place;
  readonly page: ScanPage;
}

/** Pages of all segments as they come; the next of a segment is asked for when the last one has been taken. */
async function* pagesOf(
  store: Store,
  { where, isWhole, unitsPerSecond, signal }: WalkOptions,
  places: readonly Place[],
): AsyncGenerator<Arrived, void, undefined> {
  const gone = new AbortController();
  const within = signal ? AbortSignal.any([signal, gone.signal]) : gone.signal;
  const turn = paced(unitsPerSecond, within);
  const underWay = new Map<Place, Promise<Arrived>>();

  const ask = async (place: Place): Promise<Arrived> => {
    const { limit, took } = await turn();
    within.throwIfAborted();
    const { segment, after } = place;
    const { scan } = forOperators(store, LONGEST_MS, 'run');
    if (!scan) throw misuse('this store cannot be scanned');
    const page = await scan({ segment, segments: places.length, after, limit, where, isWhole }, within).catch(
      (error) => {
        within.throwIfAborted(); // to who waits for an answer an abort is none
        throw error;
      },
    );
    took(page.scanned, page.readUnits);
    return { place, page };
  };
  const begin = (place: Place): void => {
    const page = ask(place);
    page.catch(() => {}); // who has left does not hear of it
    underWay.set(place, page);
  };

  try {
    for (const place of places) if (!place.isOver) begin(place);
    while (underWay.size > 0) {
      const arrived = await Promise.race(underWay.values());
      underWay.delete(arrived.place);
      yield arrived;
      if (!arrived.place.isOver) begin(arrived.place);
    }
  } finally {
    gone.abort();
  }
}

/** Ms for which a page is asked for. */
const LONGEST_MS = 20_000;

/** In a token: the id after which a segment goes on; null: at its begin; false: it is over. */
type Noted = string | null | false;

function tokenOf(places: readonly Place[]): string {
  const noted = places.map(({ after, isOver }): Noted => (isOver ? false : (after ?? null)));
  return Buffer.from(JSON.stringify(noted)).toString('base64url');
}

function placesOf(token: string | undefined, segments: number): readonly Place[] {
  const noted = token === undefined ? new Array<Noted>(segments).fill(null) : notedIn(token);
  return noted.map((one, segment) => ({ segment, after: one || undefined, isOver: one === false }));
}

function notedIn(token: string): readonly Noted[] {
  try {
    const noted: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    const isNoted = (one: unknown): boolean => one === null || one === false || typeof one === 'string';
    if (Array.isArray(noted) && noted.length > 0 && noted.length <= MOST_SEGMENTS && noted.every(isNoted)) return noted;
  } catch {
    // as below
  }
  throw new IdempotencyError('CONFIG_INVALID', '`from` is no token of a list');
}

export const MOST_SEGMENTS = 100;
