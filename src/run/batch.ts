import type { Context } from 'aws-lambda';
import { isIdempotencyError } from '../core/errors.ts';
import { type Execution, type WithExecution, withExecution } from '../execution.ts';
import type { HandlerSettings } from '../options.ts';
import type { BatchSource } from '../sources/batch/source.ts';
import { type Arrival, aboutOf, eventArrival, remainingOf } from './arrival.ts';
import { once } from './begin.ts';

/** Why a record is not done. */
export interface Failure {
  readonly error: unknown;
  /** Of the run that failed; undefined: none has begun. */
  readonly attempt?: number | undefined;
  readonly key?: string | undefined;
  /** Partition key of its record in the table. */
  readonly id?: string;
  /** Its error is on record: every duplicate would get it again. */
  readonly isRecorded?: boolean;
  /** No redelivery can mend it. */
  readonly isFinal?: boolean;
}

/** A record that is reported as failed. */
export interface Unfinished<R> {
  readonly record: R;
  readonly failure: Failure;
  /** It has failed itself; another one stands behind it in its lane. */
  readonly isHead: boolean;
}

export interface BatchRun<R, Ctx extends Context> {
  readonly settings: HandlerSettings<R>;
  readonly source: BatchSource<R>;
  readonly context: Ctx;
  readonly handler: (record: R, context: WithExecution<Ctx>) => unknown;
  readonly lane: ((record: R) => string | undefined) | undefined;
  /** Lanes at once. */
  readonly concurrency: number;
  readonly redelivery: Redelivery<R> | undefined;
  readonly onTerminal: ((record: R, failure: Failure) => Promise<void>) | undefined;
}

/** What a source can do about records that are not done, beside reporting them. */
export interface Redelivery<R> {
  /** Ms of the invocation that are kept for {@link postpone}. */
  readonly reserve: number;
  /** Lets records wait before they come again. If it cannot, they do not wait. */
  readonly postpone: (left: readonly Unfinished<R>[]) => Promise<void>;
  /** Takes care of a record whose error is on record. */
  readonly bury?: (record: R, failure: Failure) => Promise<void>;
}

/** There was no time left to begin a record. */
export const LATE: Failure = { error: new Error('no time left to begin it') };

/** Runs the records of a batch, each once for its key, and gives those that are not done. */
export async function unfinished<R, Ctx extends Context>(
  records: readonly R[],
  batch: BatchRun<R, Ctx>,
): Promise<readonly Unfinished<R>[]> {
  const run = runner(batch);
  const left: Unfinished<R>[] = [];
  await pooled(lanesOf(records, batch), batch.concurrency, async ({ records: lane, fault }) => {
    for (const [index, record] of lane.entries()) {
      const failure = fault ?? (await run(record));
      if (!failure || (await isDisposed(record, failure, batch))) continue;
      for (const behind of lane.slice(index)) left.push({ record: behind, failure, isHead: behind === record });
      return;
    }
  });
  return left;
}

/** A record is begun only with this much time left, and with as much as the slowest one has taken. */
const LEAST_MS = 500;

type RunRecord<R> = (record: R) => Promise<Failure | undefined>;

/** Runs the records of one invocation. */
function runner<R, Ctx extends Context>({
  settings,
  source,
  context,
  handler,
  redelivery,
}: BatchRun<R, Ctx>): RunRecord<R> {
  const latest = new Map<string, Promise<unknown>>();
  const invokedAt = Date.now();
  let slowest = LEAST_MS;

  const ended = async (record: R, arrival: Arrival): Promise<Failure | undefined> => {
    const { key, id } = arrival;
    const startedAt = Date.now();
    let attempt: number | undefined;
    let thrown: Failure | undefined;
    const run = (execution: Execution) => {
      attempt = execution.attempt;
      return handler(record, withExecution(context, execution));
    };
    const onThrown = (error: unknown): void => {
      thrown = { error };
    };
    try {
      const recorded = await (await once(settings, arrival, run, onThrown)).acknowledge();
      return recorded && { attempt, ...recorded, key, id, isRecorded: true, isFinal: true };
    } catch (error) {
      return { error, attempt, key, id, isFinal: error !== thrown?.error && isUnmendable(error) };
    } finally {
      slowest = Math.max(slowest, Date.now() - startedAt);
    }
  };

  const isLate = (): boolean => {
    const left = remainingOf({ context, invokedAt }, settings.functionTimeout) ?? Number.POSITIVE_INFINITY;
    return left - (redelivery?.reserve ?? 0) < slowest;
  };
  const begun = async (record: R, arrival: Arrival, earlier: Promise<unknown> | undefined) => {
    await earlier;
    return isLate() ? LATE : ended(record, arrival);
  };

  return async (record) => {
    if (isLate()) return LATE; // nothing is asked of what cannot begin: there may be thousands
    try {
      const arrived = { event: record, context, invokedAt };
      const arrival = eventArrival(aboutOf(settings, source, arrived), settings, source, arrived);
      if (arrival.key === undefined) return await begun(record, arrival, undefined);
      // A duplicate in the same batch comes after the first, and finds its outcome.
      const done = begun(record, arrival, latest.get(arrival.id));
      latest.set(arrival.id, done);
      return await done;
    } catch (error) {
      return { error, isFinal: isUnmendable(error) };
    }
  };
}

const UNMENDABLE = new Set(['MISMATCH', 'KEY_MISSING', 'KEY_INVALID', 'PAYLOAD_INVALID']);

/** A refusal that every redelivery would get. */
function isUnmendable(error: unknown): boolean {
  return isIdempotencyError(error) && UNMENDABLE.has(error.code);
}

/** Whether somebody has taken care of a record that no redelivery can mend. */
async function isDisposed<R>(
  record: R,
  failure: Failure,
  { redelivery, onTerminal }: Pick<BatchRun<R, any>, 'redelivery' | 'onTerminal'>,
): Promise<boolean> {
  const bury = failure.isRecorded ? redelivery?.bury : undefined;
  if (!failure.isFinal || !(bury || onTerminal)) return false;
  try {
    await bury?.(record, failure);
    await onTerminal?.(record, failure);
    return true;
  } catch (error) {
    console.error('a terminal error could not be taken care of:', error);
    return false;
  }
}

interface Lane<R> {
  readonly records: readonly R[];
  /** Nobody can tell which lane it is. */
  readonly fault?: Failure;
}

/**
 * The records by lane. Those received most often begin first: otherwise one could be dead-lettered without ever having begun.
 */
function lanesOf<R>(records: readonly R[], { source, lane = source.lane }: BatchRun<R, any>): readonly Lane<R>[] {
  const faults: Lane<R>[] = [];
  const named = new Map<unknown, R[]>();
  for (const record of records) {
    try {
      const name = nameOf(lane(record)) ?? record;
      const same = named.get(name);
      if (same) same.push(record);
      else named.set(name, [record]);
    } catch (error) {
      faults.push({ records: [record], fault: { error } });
    }
  }
  const urgent = Array.from(named.values(), (lane) => ({
    records: lane,
    urgency: urgencyOf(source.received(lane[0] as R)),
  }));
  return [...faults, ...urgent.sort((a, b) => b.urgency - a.urgency)];
}

function nameOf(lane: unknown): string | undefined {
  if (lane === undefined || typeof lane === 'string') return lane;
  throw new TypeError(`the option \`lane\` must give a text, or undefined, and not a ${typeof lane}`);
}

// Of those that came again together, another is first every time.
function urgencyOf(received: number): number {
  return received > 1 ? received + Math.random() : received;
}

async function pooled<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
