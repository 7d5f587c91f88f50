import { paused } from '../core/patience.ts';

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
 * the items before it tell; whatever its items weigh, 128 units.
 */
export function paced(unitsPerSecond: number): () => Promise<Turn> {
  const startedAt = Date.now();
  let items = 0;
  let units = 0;
  let underWay = 0;
  return async () => {
    const perItem = items === 0 ? 1 : units / items;
    const limit = Math.min(MOST_ITEMS, Math.max(1, Math.floor(unitsPerSecond / perItem)));
    const expected = limit * perItem;
    const early = startedAt + ((units + underWay) / unitsPerSecond) * 1_000 - Date.now();
    underWay += expected;
    if (early > 0) await paused(early);
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
