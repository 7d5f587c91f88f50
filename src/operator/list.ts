import { parsed } from '../core/check.ts';
import type { Duration } from '../core/duration.ts';
import { misuse } from '../core/errors.ts';
import type { Store } from '../core/store.ts';
import { toItem } from '../stores/dynamodb/item.ts';
import { itemBytes } from '../stores/dynamodb/size.ts';
import { forOperators } from './for-operators.ts';
import { type Listed, listedOf } from './glance.ts';
import { recordId } from './record-id.ts';
import { type Estimate, estimateOf, SCANNING, type ScanOptions, scanningOf } from './scanning.ts';
import { clausesFor, identityIn, isSought, SOUGHT } from './sought.ts';
import type { State } from './state.ts';
import { type Progress, walk } from './walk.ts';

/** Which records are listed. With `scope`, `operation`, `principal` and `key` that is one, and it is read, not searched. */
export interface ListOptions extends ScanOptions {
  /** @default - any */
  readonly state?: State | readonly State[];
  readonly scope?: string;
  /** `['POST', '/orders/{id}']`, see `recordId`; `[]`: those that have none. */
  readonly operation?: readonly string[];
  /** See `recordId`; `false`: nobody. */
  readonly principal?: string | readonly string[] | false;
  readonly key?: string;
  /** Claimed before so long: `'1h'`. */
  readonly olderThan?: Duration;
}

/** Records as they are found, in no order. */
export interface Listing extends AsyncIterable<Listed> {
  /** What it will cost. */
  estimate(): Promise<Estimate>;
  /** Where it is, and what it has cost. */
  progress(): Progress;
}

/**
 * Lists records, without their values. That is a scan of the whole table, which reads every record, and leaves those where they are that are not
 * asked for. It consumes at most `unitsPerSecond`, may be left at any time, and goes on from the `token` of its progress. What is
 * no record is counted, and not listed. A part of the identity that was cut is found by its begin. Nothing is written.
 *
 * Throws `IdempotencyError`: `CONFIG_INVALID` for unknown options, for a table of another tool, and where there is no table or no permission;
 * `MISUSE` on a store that cannot be scanned; `STORE_UNAVAILABLE`.
 *
 * @example
 * for await (const { id, key } of list(dynamoDBStore(), { state: ['stuck', 'in-doubt'] })) console.log(id, key);
 */
export function list(store: Store, options: ListOptions = {}): Listing {
  const { from, unitsPerSecond, segments, signal, ...sought } = parsed('list', options, { ...SOUGHT, ...SCANNING });
  const now = Date.now();
  const filter = (record: Listed): boolean => isSought(record, sought, now);
  const identity = identityIn(sought);
  // That it is of this identity its id says.
  const isWanted = (record: Listed): boolean =>
    isSought(record, { state: sought.state, olderThan: sought.olderThan }, now);
  if (identity) return oneRead(store, recordId(identity), isWanted);

  const scanning = scanningOf({ from, unitsPerSecond, segments, signal });
  const { found, progress } = walk(store, { ...scanning, where: clausesFor(sought, now), isWhole: false });
  async function* records(): AsyncGenerator<Listed, void, undefined> {
    for await (const one of found()) {
      const listed = one.kind === 'record' ? listedOf(one.record, now) : undefined;
      if (listed && filter(listed)) yield listed;
    }
  }
  return { [Symbol.asyncIterator]: records, estimate: () => estimateOf(store, scanning.unitsPerSecond), progress };
}

function oneRead(store: Store, id: string, filter: (record: Listed) => boolean): Listing {
  let [scanned, readUnits] = [0, 0];
  async function* found(): AsyncGenerator<Listed, void, undefined> {
    const { read } = forOperators(store);
    if (!read) throw misuse('this store cannot be read');
    const record = await read(id);
    [scanned, readUnits] = [1, record ? Math.ceil(itemBytes(toItem(record)) / 4_096) : 1];
    const listed = record && listedOf(record, Date.now());
    if (listed && filter(listed)) yield listed;
  }
  return {
    [Symbol.asyncIterator]: found,
    estimate: async () => ({ items: 1, bytes: 0, readUnits: 1, seconds: 0 }),
    progress: () => ({ scanned, readUnits, foreign: 0, newer: 0, damaged: 0 }),
  };
}
