import type { Context } from 'aws-lambda';
import { snapshot } from '../values/snapshot.ts';
import { type Lane, lanesOf, pooled } from './lanes.ts';
import { DEFERRED, type Failure, type RecordRun, runnerOf, type Schedule, scheduleOf } from './records.ts';
import { atMost } from './steps.ts';

/** A record that is reported as failed. */
export interface Unfinished<R> {
  /** As it came. */
  readonly record: R;
  readonly failure: Failure;
  /** It has failed itself; another one stands behind it in its lane. */
  readonly isHead: boolean;
}

/** What a source can do about records that are not done, beside reporting them. */
export interface Redelivery<R> {
  /** Ms of the invocation that are kept for {@link postpone}. */
  readonly reserve: number;
  /** Lets records wait before they come again, until `signal` aborts. If it cannot, they do not wait. */
  readonly postpone: (unfinished: readonly Unfinished<R>[], signal: AbortSignal) => Promise<void>;
  /** Takes care of a record whose error is on record. */
  readonly deadLetter?: (record: R, failure: Failure) => Promise<void>;
}

export interface BatchRun<R, Ctx extends Context> extends RecordRun<R, Ctx> {
  readonly lane: ((record: R) => unknown) | undefined;
  /** Lanes at once. */
  readonly concurrency: number;
  readonly redelivery: Redelivery<R> | undefined;
  readonly onTerminal: ((record: R, failure: Failure) => Promise<void>) | undefined;
}

/** Ms that are kept for the answer. */
const ANSWER_MS = 250;

/** Ms for which {@link Redelivery.postpone} is waited for, if there is time. */
const LONGEST_POSTPONE_MS = 10_000;

/** Runs the records of a batch, each once for its key, and gives those that are not done, by the record as it is now. */
export async function unfinished<R extends object, Ctx extends Context>(
  records: readonly R[],
  batch: BatchRun<R, Ctx>,
): Promise<ReadonlyMap<R, Unfinished<R>>> {
  const { source, redelivery, onTerminal, concurrency, context, settings } = batch;
  const schedule = scheduleOf(context, settings.functionTimeout, ANSWER_MS + (redelivery?.reserve ?? 0));
  const run = runnerOf(batch, schedule);
  // A handler may change its record.
  const originals =
    redelivery || onTerminal ? new Map(records.map((record) => [record, snapshot(record) as R])) : undefined;
  const original = (record: R): R => originals?.get(record) ?? record;
  const left = new Map<R, Unfinished<R>>();
  const deferred: Lane<R>[] = [];

  const passing =
    (mayDefer: boolean) =>
    async ({ records: lane, fault }: Lane<R>) => {
      for (const [index, record] of lane.entries()) {
        const failure = fault === undefined ? await run(record, mayDefer) : { error: fault };
        if (failure === DEFERRED) return void deferred.push({ records: lane.slice(index) });
        if (!failure || (await isDisposed(original(record), failure, batch, schedule))) continue;
        for (const behind of lane.slice(index))
          left.set(behind, { record: original(behind), failure, isHead: behind === record });
        return;
      }
    };
  await pooled(lanesOf(records, source, batch.lane), concurrency, passing(true));
  // Who waits for another run must not hold up those who need not.
  await pooled(deferred, concurrency, passing(false));
  if (redelivery && left.size > 0) await postponed([...left.values()], redelivery, schedule);
  return left;
}

/** Whether somebody has taken care of a record that no redelivery can mend, in time. */
async function isDisposed<R>(
  record: R,
  failure: Failure,
  { redelivery, onTerminal }: Pick<BatchRun<R, any>, 'redelivery' | 'onTerminal'>,
  { left, took }: Schedule,
): Promise<boolean> {
  const deadLetter = failure.isRecorded ? redelivery?.deadLetter : undefined;
  if (!(failure.isRecorded || failure.isRefused) || !(deadLetter || onTerminal)) return false;
  const startedAt = Date.now();
  let end: unknown = new Error('it takes too long');
  const work = async (): Promise<void> => {
    await deadLetter?.(record, failure);
    await onTerminal?.(record, failure);
  };
  await atMost(
    left(),
    work().then(
      () => {
        end = undefined;
      },
      (error) => {
        end = error ?? new Error(`it failed with ${error}`);
      },
    ),
  );
  took(Date.now() - startedAt);
  if (end !== undefined) console.error('a terminal error could not be taken care of:', end);
  return end === undefined;
}

async function postponed<R>(
  left: readonly Unfinished<R>[],
  { postpone, reserve }: Redelivery<R>,
  schedule: Schedule,
): Promise<void> {
  const late = new AbortController();
  const ms = Math.min(LONGEST_POSTPONE_MS, schedule.left() + reserve);
  await atMost(ms, postpone(left, late.signal));
  late.abort();
}
