import type { Context } from 'aws-lambda';
import { isIdempotencyError } from '../core/errors.ts';
import { type Execution, type WithExecution, withExecution } from '../execution.ts';
import type { HandlerSettings } from '../options.ts';
import type { BatchSource } from '../sources/batch/source.ts';
import { type Arrival, aboutOf, eventArrival, remainingOf } from './arrival.ts';
import { Deferred, once } from './begin.ts';

/** Why a record is not done. */
export interface Failure {
  readonly error: unknown;
  /** Of the run that failed; undefined: none has begun, or its attempts are not counted. */
  readonly attempt?: number | undefined;
  readonly key?: string | undefined;
  /** Partition key of its record in the table. */
  readonly id?: string;
  /** Its error is on record: every duplicate would get it again. */
  readonly isRecorded?: boolean;
  /** It is refused, and every redelivery would be. */
  readonly isRefused?: boolean;
}

/** There was no time left to begin a record. */
export const LATE: Failure = { error: new Error('no time left to begin it') };

/** Another run of it is under way: it is to be asked for again when the other records are done. */
export const DEFERRED = Symbol('deferred');

/** The time of an invocation, as its records share it. */
export interface Schedule {
  /** Epoch ms. */
  readonly invokedAt: number;
  /** Ms until the deadline, less what is kept for the end of the invocation. */
  readonly left: () => number;
  /** There is less time than the slowest record has taken. */
  readonly isLate: () => boolean;
  /** A record has taken so many ms. */
  readonly took: (ms: number) => void;
  /** Ms that must be left when a record begins. */
  readonly least: () => number;
}

/** A record is begun only with this much time left, and with as much as the slowest one has taken. */
const LEAST_MS = 500;

/** `kept`: ms for what comes after the records. */
export function scheduleOf(context: Context, functionTimeout: number | undefined, kept: number): Schedule {
  const invokedAt = Date.now();
  let slowest = LEAST_MS;
  const left = () => (remainingOf({ context, invokedAt }, functionTimeout) ?? Number.POSITIVE_INFINITY) - kept;
  return {
    invokedAt,
    left,
    isLate: () => left() < slowest,
    least: () => slowest + kept,
    took: (ms) => {
      slowest = Math.max(slowest, ms);
    },
  };
}

export interface RecordRun<R, Ctx extends Context> {
  readonly settings: HandlerSettings<R>;
  readonly source: BatchSource<R>;
  readonly context: Ctx;
  readonly handler: (record: R, context: WithExecution<Ctx>) => unknown;
}

/** Runs a record: undefined if it is done. `mayDefer`: one that would wait for another run is deferred instead. */
export type RunRecord<R> = (record: R, mayDefer: boolean) => Promise<Failure | typeof DEFERRED | undefined>;

/** Runs the records of one invocation, each once for its key. */
export function runnerOf<R, Ctx extends Context>(batch: RecordRun<R, Ctx>, schedule: Schedule): RunRecord<R> {
  const { settings, source, context } = batch;
  const latest = new Map<string, Promise<unknown>>();

  return async (record, mayDefer) => {
    if (schedule.isLate()) return LATE; // nothing is asked of what cannot begin: there may be thousands
    let arrival: Arrival;
    try {
      const arrived = { event: record, context, invokedAt: schedule.invokedAt };
      arrival = eventArrival(aboutOf(settings, source, arrived), settings, source, arrived);
    } catch (error) {
      return { error, isRefused: isUnmendable(error) };
    }
    const timed = { ...arrival, mayDefer, leastAfterWait: schedule.least };
    const begun = async () => (schedule.isLate() ? LATE : ended(record, timed, batch, schedule));
    const { id, key } = arrival;
    if (key === undefined) return begun();
    // A duplicate in the same batch comes after the first, and finds its outcome.
    const done = (latest.get(id) ?? Promise.resolve()).then(begun);
    latest.set(id, done);
    return done;
  };
}

async function ended<R, Ctx extends Context>(
  record: R,
  arrival: Arrival,
  { settings, context, handler }: RecordRun<R, Ctx>,
  { took }: Schedule,
): Promise<Failure | typeof DEFERRED | undefined> {
  const { key, id } = arrival;
  let startedAt: number | undefined;
  let attempt: number | undefined;
  let thrown: Failure | undefined;
  const run = (execution: Execution) => {
    startedAt = Date.now();
    if (settings.mode === 'claim' && key !== undefined) attempt = execution.attempt;
    return handler(record, withExecution(context, execution));
  };
  const onThrown = (error: unknown): void => {
    thrown = { error };
  };
  try {
    const recorded = await (await once(settings, arrival, run, onThrown)).acknowledge();
    return recorded && { attempt, ...recorded, key, id, isRecorded: true };
  } catch (error) {
    if (error instanceof Deferred) return DEFERRED;
    return { error, attempt, key, id, isRefused: error !== thrown?.error && isUnmendable(error) };
  } finally {
    if (startedAt !== undefined) took(Date.now() - startedAt);
  }
}

const UNMENDABLE = new Set(['MISMATCH', 'KEY_MISSING', 'KEY_INVALID', 'PAYLOAD_INVALID']);

function isUnmendable(error: unknown): boolean {
  return isIdempotencyError(error) && UNMENDABLE.has(error.code);
}
