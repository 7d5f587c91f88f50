import type { Context, SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { checkHandler, count, parsed } from './core/check.ts';
import { isIdempotencyError, misuse } from './core/errors.ts';
import { publish } from './core/events.ts';
import { type Execution, type WithExecution, withExecution } from './execution.ts';
import { HANDLER, type HandlerOptions, type HandlerSettings, handlerSettings } from './options.ts';
import { type Arrival, aboutOf, eventArrival, refused } from './run/arrival.ts';
import { once } from './run/begin.ts';
import { recordSourceOf } from './sources/batch/index.ts';
import type { RecordSource } from './sources/batch/source.ts';
import { plain } from './sources/plain.ts';

export interface BatchOptions<Record> extends HandlerOptions<Record> {
  /**
   * How many records run at once; of a FIFO queue, how many groups.
   * @default 10
   */
  readonly concurrency?: number;
}

const OPTIONS = { ...HANDLER, concurrency: count };

/**
 * Wraps the handler of one SQS record: each record runs once for its key, and only failed records are retried.
 *
 * A record is reported as failed if it threw (also if the error is on record, so that it reaches the dead-letter queue), if what it
 * returned is no outcome, if it is in flight elsewhere, if there was no time to begin it, and if it stands behind a failure in its FIFO group. Needs
 * `reportBatchItemFailures` on the event source mapping. Throws `CONFIG_INVALID` when built with unknown options, and if no record
 * of a batch can be processed because of the configuration; `MISUSE` for an event that is not from SQS.
 *
 * @example
 * export const handler = idempotentBatch(async (record: SQSRecord) => ship(JSON.parse(record.body)), {
 *   store: dynamoDBStore(),
 *   key: (record) => JSON.parse(record.body).orderId,
 * });
 */
export function idempotentBatch<R extends SQSRecord = SQSRecord, Ctx extends Context = Context>(
  handler: (record: R, context: WithExecution<Ctx>) => Promise<unknown> | unknown,
  options: BatchOptions<R>,
): (event: { Records: R[] }, context: Ctx) => Promise<SQSBatchResponse> {
  const { concurrency = 10, ...common } = parsed('idempotentBatch', options, OPTIONS);
  const settings = handlerSettings<R>('idempotentBatch', common);
  checkHandler('idempotentBatch', handler);

  return async function idempotentBatchHandler(event, context) {
    const source = recordSourceOf<R>(event);
    const about = aboutOf(settings, { ...plain, name: source?.name ?? 'batch' }, { event, context });
    try {
      if (!source) throw refused(about, misuse('idempotentBatch expects an SQS event: Records, each with a messageId'));
      const records = event.Records;
      const ids = new Map(records.map((record) => [record, source.identify(record)])); // before a handler touches them
      const run = runner(settings, source, context, handler);
      const failures = new Map<R, unknown>();
      await pooled(groupsOf(records, source), concurrency, async (group) => {
        const failed = await firstFailure(group, run);
        if (!failed) return;
        console.error(`record ${ids.get(failed.record)} is reported as failed:`, failed.error); // said nowhere else
        for (const unfinished of group.slice(group.indexOf(failed.record))) failures.set(unfinished, failed.error);
      });
      const errors = [...failures.values()];
      if (errors.length > 0 && errors.length === records.length && errors.every(isMisconfigured)) throw errors[0];
      const failed = new Set(Array.from(failures.keys(), (record) => ids.get(record) ?? ''));
      return { batchItemFailures: Array.from(failed, (itemIdentifier) => ({ itemIdentifier })) };
    } finally {
      publish(about, { type: 'settled' });
    }
  };
}

type RunRecord<R> = (record: R) => Promise<void>;

/** A record is begun only with this much time left, and with as much as the slowest one has taken. */
const LEAST_MS = 500;

/** Runs the records of one invocation, each once for its key; throws why one is not done. */
function runner<R, Ctx extends Context>(
  settings: HandlerSettings<R>,
  source: RecordSource<R>,
  context: Ctx,
  handler: (record: R, context: WithExecution<Ctx>) => unknown,
): RunRecord<R> {
  const latest = new Map<string, Promise<unknown>>();
  const invokedAt = Date.now();
  let slowest = LEAST_MS;

  const begun = async (record: R, arrival: Arrival, earlier: Promise<unknown> | undefined): Promise<void> => {
    await earlier?.catch(() => {});
    if ((arrival.remaining() ?? Number.POSITIVE_INFINITY) < slowest) throw new Error('no time left to begin it');
    const startedAt = Date.now();
    try {
      const run = (execution: Execution) => handler(record, withExecution(context, execution));
      await (await once(settings, arrival, run)).acknowledge();
    } finally {
      slowest = Math.max(slowest, Date.now() - startedAt);
    }
  };

  return async (record) => {
    const arrived = { event: record, context, invokedAt };
    const arrival = eventArrival(aboutOf(settings, source, arrived), settings, source, arrived);
    if (arrival.key === undefined) return begun(record, arrival, undefined);
    // A duplicate in the same batch comes after the first, and finds its outcome.
    const done = begun(record, arrival, latest.get(arrival.id));
    latest.set(arrival.id, done);
    return done;
  };
}

async function firstFailure<R>(
  group: readonly R[],
  run: RunRecord<R>,
): Promise<{ readonly record: R; readonly error: unknown } | undefined> {
  for (const record of group) {
    try {
      await run(record);
    } catch (error) {
      return { record, error };
    }
  }
  return undefined;
}

/**
 * Records that run one after the other: those of a FIFO group. Any other record is a group of its own. Records received most often
 * begin first. Otherwise one could be dead-lettered without ever having begun.
 */
function groupsOf<R>(records: readonly R[], source: RecordSource<R>): R[][] {
  const groups = [...Map.groupBy(records, (record) => source.group(record) ?? record).values()];
  const urgency = new Map(groups.map((group) => [group, urgencyOf(source.received(group[0] as R))]));
  return groups.sort((a, b) => (urgency.get(b) ?? 0) - (urgency.get(a) ?? 0));
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

function isMisconfigured(error: unknown): boolean {
  return isIdempotencyError(error) && error.code === 'CONFIG_INVALID';
}
