import { count, type Parse, type Parsed, that } from '../core/check.ts';
import { misuse } from '../core/errors.ts';
import type { Store } from '../core/store.ts';
import { forOperators } from './for-operators.ts';
import { MOST_SEGMENTS } from './walk.ts';

/** How a table is scanned. */
export interface ScanOptions {
  /** The token of an earlier scan's progress: it goes on there. */
  readonly from?: string;
  /**
   * Read units that are consumed in a second. A request takes up to 128, whatever is set here.
   * @default 200
   */
  readonly unitsPerSecond?: number;
  /**
   * Parts of the table that are scanned side by side, 1 to 100. A token keeps the number that its scan had.
   * @default 4
   */
  readonly segments?: number;
  readonly signal?: AbortSignal;
}

/** How {@link ScanOptions} are read. */
export const SCANNING = {
  from: that<string>((value) => typeof value === 'string', 'a token of a list'),
  unitsPerSecond: count,
  segments: that<number>(
    (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) <= MOST_SEGMENTS,
    `a whole number from 1 to ${MOST_SEGMENTS}`,
  ),
  signal: that<AbortSignal>((value) => value instanceof AbortSignal, 'an AbortSignal') as Parse<AbortSignal>,
};

/** With their defaults. */
export function scanningOf({ from, unitsPerSecond = 200, segments = 4, signal }: Parsed<typeof SCANNING>) {
  return { from, unitsPerSecond, segments, signal };
}

/** What a scan of the whole table will take, as DynamoDB counted the table in the last six hours. */
export interface Estimate {
  readonly items: number;
  readonly bytes: number;
  readonly readUnits: number;
  readonly seconds: number;
}

/** An eventually consistent read unit, which is half of one, reads 4 KB. */
const BYTES_PER_UNIT = 8 * 1024;

export async function estimateOf(store: Store, unitsPerSecond: number): Promise<Estimate> {
  const { total } = forOperators(store);
  if (!total) throw misuse('this store cannot be scanned');
  const { items, bytes } = await total();
  const readUnits = Math.ceil(bytes / BYTES_PER_UNIT);
  return { items, bytes, readUnits, seconds: Math.ceil(readUnits / unitsPerSecond) };
}
