const GLANCE_MS = 50;

/** A request that may be sent. */
export interface Turn {
  /** Items to look at. */
  readonly limit: number;
  /** To be told of what it has taken. */
  readonly took: (items: number, readUnits: number) => void;
}

/** DynamoDB hands out 1 MB at most, so that more would mostly be in vain. */
const MOST_ITEMS = 2_000;

/**
 * Gives each request its turn, so that all together consume so many read units a second. One request takes a second's worth at most, as far as
 * the items before it tell; whatever its items weigh, 128 units. When `signal` aborts nobody waits any more.
 */
export function paced(unitsPerSecond: number, signal: AbortSignal): () => Promise<Turn> {
  const startedAt = performance.now(); // a steady clock: the other may be set back
  let items = 0;
  let units = 0;
  let underWay = 0;
  const early = (): number => startedAt + ((units + underWay) / unitsPerSecond) * 1_000 - performance.now();
  return async () => {
    // Asked again soon: what was under way may have taken more than was expected, and in a small table takes next to nothing.
    for (let ms = early(); ms > 0 && !signal.aborted; ms = early()) await paused(Math.min(ms, GLANCE_MS), signal);
    const perItem = items === 0 ? 1 : units / items;
    const limit = Math.min(MOST_ITEMS, Math.max(1, Math.floor(unitsPerSecond / perItem)));
    const expected = limit * perItem;
    underWay += expected;
    return {
      limit,
      took(more, moreUnits) {
        underWay -= expected;
        items += more;
        units += moreUnits;
      },
    };
  };
}

/** No timer is left over when the signal aborts: it would keep the process. */
function paused(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
