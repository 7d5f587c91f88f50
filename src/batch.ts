import type { Context, SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { eventArrival } from './run/arrival.ts';
import { once } from './run/begin.ts';
import { checkHandler } from './core/check.ts';
import { isIdempotencyError, misuse } from './core/errors.ts';
import { type WithExecution, withExecution } from './execution.ts';
import { HANDLER_CHECKS, type HandlerOptions, settingsOf } from './options.ts';
import { sqs } from './sources/batch/sqs.ts';

export interface BatchOptions<Record> extends HandlerOptions<Record> {
  /**
   * Records that run at once; of a FIFO queue, groups, each in its order.
   * @default 10
   */
  readonly concurrency?: number;
}

const CHECKS = {
  ...HANDLER_CHECKS,
  concurrency: [(value: unknown) => Number.isInteger(value) && Number(value) > 0, 'a whole number above 0'],
} as const;

/** With less time left than this, or than the slowest record has taken, no further record is begun. */
const LEAST_MS = 500;

/**
 * Wraps the handler of one SQS record: each record runs once for its key, and the failed ones alone come back.
 *
 * Reported as failed: what threw (an error on record too, so that it reaches the dead-letter queue), what is in flight
 * elsewhere, what there was no time to begin, and behind a failure the rest of a FIFO group. Needs `reportBatchItemFailures`
 * on the event source mapping. Throws `CONFIG_INVALID` when built with options it does not have, and when no record of a batch
 * can be processed for such a reason; `MISUSE` for an event that is not of SQS.
 */
export function idempotentBatch<R extends SQSRecord = SQSRecord, Ctx extends Context = Context>(
  handler: (record: R, context: WithExecution<Ctx>) => Promise<unknown> | unknown,
  options: BatchOptions<R>,
): (event: { Records: R[] }, context: Ctx) => Promise<SQSBatchResponse> {
  const settings = settingsOf('idempotentBatch', options, CHECKS);
  checkHandler('idempotentBatch', handler);
  const { concurrency = 10 } = options;

  return async function idempotentBatchHandler(event, context) {
    const records = recordsOf<R>(event);
    const ids = new Map(records.map((record) => [record, sqs.identify(record)])); // before a handler touches them
    const failures = new Map<R, unknown>();
    const latest = new Map<string, Promise<unknown>>();
    let slowest = LEAST_MS;
    const invokedAt = Date.now();

    const run = async (record: R): Promise<void> => {
      const arrival = eventArrival(settings, options, sqs, record, context, invokedAt);
      // A duplicate in the same batch comes after the first, and finds its outcome.
      const earlier = latest.get(arrival.id);
      const answer = (async () => {
        await earlier?.catch(() => {});
        if ((arrival.remaining() ?? Number.POSITIVE_INFINITY) < slowest) throw new Error('no time left to begin it');
        const started = Date.now();
        await once(settings, arrival, (execution) => handler(record, withExecution(context, execution))).finally(() => {
          slowest = Math.max(slowest, Date.now() - started);
        });
      })();
      if (arrival.key !== undefined) latest.set(arrival.id, answer);
      await answer.catch((error) => {
        if (!isDone(error, arrival.id)) throw error;
      });
    };

    await pooled(groupsOf(records), concurrency, async (group) => {
      for (const record of group) {
        const failure = await run(record).then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
        if (!failure) continue;
        console.error(`record ${ids.get(record)} is reported as failed:`, failure.error); // nobody else says why
        for (const unfinished of group.slice(group.indexOf(record))) failures.set(unfinished, failure.error);
        return;
      }
    });

    const errors = [...failures.values()];
    if (errors.length > 0 && errors.length === records.length && errors.every(isMisconfigured)) throw errors[0];
    const failed = new Set(Array.from(failures.keys(), (record) => ids.get(record) ?? ''));
    return { batchItemFailures: Array.from(failed, (itemIdentifier) => ({ itemIdentifier })) };
  };
}

function recordsOf<R extends SQSRecord>(event: { Records: R[] }): R[] {
  if (Array.isArray(event?.Records) && event.Records.every((record) => sqs.matches(record))) return event.Records;
  throw misuse('idempotentBatch expects an SQS event: Records, each with a messageId');
}

/** What runs one after the other: a FIFO group, else each record for itself. */
function groupsOf<R extends SQSRecord>(records: readonly R[]): R[][] {
  const groups = Map.groupBy(records, (record) => sqs.group(record) ?? record);
  return [...groups.values()];
}

async function pooled<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}

// Done is done, whether or not its value could be kept: a record has nobody to be answered.
function isDone(error: unknown, id: string): boolean {
  return isIdempotencyError(error) && error.code === 'RESULT_UNAVAILABLE' && error.id === id;
}

function isMisconfigured(error: unknown): boolean {
  return isIdempotencyError(error) && error.code === 'CONFIG_INVALID';
}
