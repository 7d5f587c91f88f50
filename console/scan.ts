import type { Line, Sought } from '../cli/console/wire.ts';
import type { Listed } from '../src/operator/glance.ts';
import type { Estimate } from '../src/operator/scanning.ts';
import type { Progress } from '../src/operator/walk.ts';
import { estimate, Refused, refusedBy, search } from './server.ts';

/** A search, as far as it is. */
export interface Scan {
  /**
   * `asking`: it will take long, and waits for a word. `paused`: enough is shown, and there is more. `cancelled`: by a word, and may go on.
   */
  readonly phase: 'estimating' | 'asking' | 'scanning' | 'paused' | 'cancelled' | 'over' | 'failed';
  /** Absent: not known. */
  readonly estimate?: Estimate;
  readonly records: ReadonlyMap<string, Listed>;
  readonly progress?: Progress;
  readonly refused?: Refused;
}

export interface Scanning {
  /** Says what it will take; begins at once if that is not much. */
  readonly prepare: () => Promise<void>;
  /** Begins, or goes on. */
  readonly start: () => Promise<void>;
  readonly cancel: () => void;
  /** Cancels, and says no more. */
  readonly end: () => void;
  /** Puts a record in the place of what was found under its id. */
  readonly put: (record: Listed) => void;
}

/** A search that takes longer asks first. */
const NOT_LONG_SECONDS = 5;

export const NOTHING: Scan = { phase: 'estimating', records: new Map() };

/** A search for these. `tell` hears of all that becomes of it. */
export function scanning(sought: Sought, tell: (scan: Scan) => void): Scanning {
  let scan = NOTHING;
  let gone = new AbortController();
  let isOver = false;
  const become = (change: Partial<Scan>): void => {
    scan = { ...scan, ...change };
    if (!isOver) tell(scan);
  };

  const start = async (): Promise<void> => {
    if (isOver) return;
    gone = new AbortController();
    const { signal } = gone;
    const { progress: before } = scan;
    const from = before?.token;
    become({ phase: 'scanning' });
    try {
      for await (const lines of inBatches(search({ ...sought, ...(from && { from }) }, signal)))
        become(after(scan, lines, before));
      if (scan.phase === 'scanning')
        become({ phase: 'failed', refused: new Refused({ code: 'GONE', message: 'the search broke off' }) });
    } catch (error) {
      if (!signal.aborted) become({ phase: 'failed', refused: refusedBy(error) });
    }
  };

  const prepare = async (): Promise<void> => {
    try {
      become({ estimate: await estimate(sought) });
    } catch (error) {
      const refused = refusedBy(error);
      // A table whose size nobody may ask is searched all the same.
      if (!refused.message.includes('permission')) return become({ phase: 'failed', refused });
    }
    const { seconds } = scan.estimate ?? { seconds: 0 };
    if (seconds <= NOT_LONG_SECONDS) return start();
    become({ phase: 'asking' });
  };

  return {
    prepare,
    start,
    cancel: () => {
      gone.abort();
      become({ phase: 'cancelled' });
    },
    end: () => {
      isOver = true;
      gone.abort();
    },
    put: (record) => become({ records: new Map(scan.records).set(record.id, record) }),
  };
}

/** Ms: a page of thousands of records is not laid out more often. The server says how far it is at least as often. */
const BATCH_MS = 250;

/** Lines that came within that time are one batch. */
async function* inBatches(pieces: AsyncIterable<readonly Line[]>): AsyncGenerator<readonly Line[]> {
  let batch: Line[] = [];
  let last = 0;
  for await (const lines of pieces) {
    batch.push(...lines);
    if (performance.now() - last < BATCH_MS) continue;
    yield batch;
    batch = [];
    last = performance.now();
  }
  yield batch;
}

/** What is known after some more lines. What was found twice, as a search went on, is there once. */
function after(scan: Scan, lines: readonly Line[], before: Progress | undefined): Partial<Scan> {
  const records = new Map(scan.records);
  let next: Partial<Scan> = {};
  for (const line of lines) {
    if ('record' in line) records.set(line.record.id, line.record);
    else if ('progress' in line) next = { ...next, progress: together(before, line.progress) };
    else if ('end' in line)
      next = { progress: together(before, line.end), phase: line.end.token === undefined ? 'over' : 'paused' };
    else next = { ...next, phase: 'failed', refused: new Refused(line.failed) };
  }
  return { ...next, records };
}

/** Of a search that went on: all that it has read. */
function together(
  before: Progress | undefined,
  { scanned, readUnits, foreign, newer, damaged, ...rest }: Progress,
): Progress {
  if (!before) return { scanned, readUnits, foreign, newer, damaged, ...rest };
  const { token: _, ...last } = before;
  return {
    ...last,
    ...rest,
    scanned: last.scanned + scanned,
    readUnits: last.readUnits + readUnits,
    foreign: last.foreign + foreign,
    newer: last.newer + newer,
    damaged: last.damaged + damaged,
  };
}
