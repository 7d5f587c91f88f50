import type {
  Context,
  DynamoDBRecord,
  KinesisStreamRecord,
  MSKEvent,
  MSKRecord,
  SelfManagedKafkaEvent,
  SQSRecord,
} from 'aws-lambda';
import { checkHandler, count, isFunction, parsed, that } from './core/check.ts';
import { isIdempotencyError, misuse } from './core/errors.ts';
import { publish } from './core/events.ts';
import { environment } from './environment.ts';
import type { WithExecution } from './execution.ts';
import { observed } from './observed.ts';
import { HANDLER, type HandlerOptions, handlerSettings } from './options.ts';
import { aboutOf, refused } from './run/arrival.ts';
import { type Redelivery, type Unfinished, unfinished } from './run/batch.ts';
import { type Failure, LATE } from './run/records.ts';
import { type Batch, batchOf } from './sources/batch/index.ts';
import { type BatchSource, nameOf } from './sources/batch/source.ts';
import { plain } from './sources/plain.ts';

/** A record of a batch that `idempotentBatch` knows. */
export type BatchRecord = SQSRecord | KinesisStreamRecord | DynamoDBRecord | MSKRecord;

/** The event that brings such records. */
export type BatchEvent<R extends BatchRecord> = R extends MSKRecord
  ? Omit<MSKEvent | SelfManagedKafkaEvent, 'records'> & { readonly records: Record<string, R[]> }
  : { Records: R[] };

/** What Lambda is answered: which records are to come again. */
export interface BatchResponse<R extends BatchRecord = BatchRecord> {
  batchItemFailures: { itemIdentifier: R extends MSKRecord ? { partition: string; offset: number } : string }[];
}

export interface BatchOptions<R extends BatchRecord> extends HandlerOptions<R> {
  /**
   * How many lanes run at once; within a lane it is always one record.
   * @default 10
   */
  readonly concurrency?: number;
  /**
   * Records of one lane run one after the other, and stop at a failure; `undefined`: the record stands alone. One whose lane cannot be told, because this
   * throws, is reported as failed.
   * @default - SQS FIFO: message group; Kinesis: partition key; DynamoDB: table and item key; Kafka: topic, partition and record key
   */
  readonly lane?: (record: R) => string | number | undefined;
  /**
   * Lets failed messages of SQS wait before they come again, and sends those that no retry can mend to a dead-letter queue: `sqsRedelivery()` of
   * `effectively-once/sqs`. A conflict is then waited for if its lease ends in time, and comes again when it ends otherwise.
   * @default - they come again when the visibility timeout of the queue is over
   */
  readonly redelivery?: R extends SQSRecord ? Redelivery<SQSRecord> : never;
  /**
   * Takes care of a record that no redelivery can mend: its terminal error is on record, or it was refused with `MISMATCH`, `KEY_MISSING`, `KEY_INVALID`
   * or `PAYLOAD_INVALID`. When it resolves, the record is done, and its lane goes on. Called at least once: if it fails, the record is reported as failed.
   * @default - the record is reported as failed; on a stream it blocks its shard until the event source mapping gives up
   */
  readonly onTerminal?: (record: R, error: unknown, of: { readonly key?: string | undefined }) => Promise<void>;
}

const OPTIONS = {
  ...HANDLER,
  concurrency: count,
  lane: that<(record: any) => string | number | undefined>(isFunction, 'a function of the record'),
  redelivery: that<Redelivery<any>>(
    (value) => isFunction((value as Partial<Redelivery<any>> | null)?.postpone),
    'what sqsRedelivery() makes',
  ),
  onTerminal: that<NonNullable<BatchOptions<any>['onTerminal']>>(isFunction, 'a function of the record and its error'),
};

/**
 * Wraps the handler of one record of SQS, Kinesis, a DynamoDB stream or Kafka: each record runs once for its key, and only what is not
 * done comes again.
 *
 * A record is reported as failed if it threw (also if the error is on record, unless `onTerminal` takes care of it), if what it returned is no outcome,
 * if it is in flight elsewhere, if there was no time to begin it, and if it stands behind a failure in its lane. Of a stream the lowest
 * such record is reported, and all from there on come again; those that are done are answered from their records. Needs
 * `reportBatchItemFailures` on the event source mapping. Kafka hears the answer in provisioned mode alone: unless the environment has
 * `IDEMPOTENCY_PARTIAL_FAILURES=true`, the first failure is thrown, and the whole batch comes again.
 *
 * Throws `CONFIG_INVALID` when built with unknown options, and if no record of a batch can be processed because of the configuration;
 * `MISUSE` for what is no batch, for one of mixed sources, for a record of which nothing could be reported, and for a tumbling window.
 *
 * @example
 * export const handler = idempotentBatch(async (record: SQSRecord) => ship(JSON.parse(record.body)), {
 *   store: dynamoDBStore(),
 *   key: (record) => JSON.parse(record.body).orderId,
 * });
 */
export function idempotentBatch<R extends BatchRecord = SQSRecord, Ctx extends Context = Context>(
  handler: (record: R, context: WithExecution<Ctx>) => Promise<unknown> | unknown,
  options: BatchOptions<R>,
): (event: BatchEvent<R>, context: Ctx) => Promise<BatchResponse<R>> {
  const {
    concurrency = 10,
    lane,
    redelivery,
    onTerminal: told,
    ...common
  } = parsed('idempotentBatch', options, OPTIONS);
  const settings = handlerSettings<R>('idempotentBatch', common);
  checkHandler('idempotentBatch', handler);
  const metrics = observed();
  const onTerminal = told && ((record: R, { error, key }: Failure) => told(record, error, { key }));

  return async function idempotentBatchHandler(event, context) {
    if (metrics) await metrics;
    const aboutBatch = (name: string) => aboutOf(settings, { ...plain, name }, { event: event as any, context });
    let about = aboutBatch('batch');
    let count: number | undefined;
    try {
      const batch = opened<R>(event, (error) => refused(about, error));
      const { source, records } = batch;
      count = records.length;
      if (!source) return { batchItemFailures: [] };
      about = aboutBatch(source.name);
      if (redelivery && source.name !== 'sqs') throw refused(about, misuse('the option `redelivery` is for SQS alone'));
      const from = redelivery ? { ...source, onConflict: 'wait-for-end' as const } : source;
      const run = { settings, source: from, context, handler, lane, concurrency, redelivery, onTerminal };
      const left = await unfinished(records, run);
      log(left, batch);
      return answerTo(left, source, batch) as BatchResponse<R>;
    } finally {
      publish(about, { type: 'settled', records: count });
    }
  };
}

function opened<R>(event: unknown, refused: (error: unknown) => unknown): Batch<R> {
  try {
    return batchOf<R>(event);
  } catch (error) {
    throw refused(error);
  }
}

/** What is said nowhere else. */
function log<R>(left: Left<R>, { identifiers }: Batch<R>): void {
  let late = 0;
  for (const [record, { failure, isHead }] of left) {
    if (failure === LATE) late++;
    else if (isHead)
      console.error(`record ${nameOf(identifiers.get(record) ?? '')} is reported as failed:`, failure.error);
  }
  if (late > 0) console.error(`${late} of ${identifiers.size} records were not begun: no time was left`);
}

/** Throws where an answer would not be heard, or would only bring back what can never be processed. */
function answerTo<R>(left: Left<R>, source: BatchSource<R>, { records, identifiers }: Batch<R>) {
  const errors = Array.from(left.values(), ({ failure }) => failure.error);
  const isHeard = !source.isAnswerOptional || environment.hearsPartialFailures();
  const isHopeless = errors.length === records.length && errors.every(isMisconfigured);
  if (errors.length > 0 && (isHopeless || !isHeard)) throw errors[0] ?? new Error(`a record failed with ${errors[0]}`);
  const failed = [...left.keys()].flatMap((record) => identifiers.get(record) ?? []);
  const reported = source.reported([...new Map(failed.map((one) => [nameOf(one), one])).values()]);
  return { batchItemFailures: reported.map((itemIdentifier) => ({ itemIdentifier })) };
}

type Left<R> = ReadonlyMap<R, Unfinished<R>>;

function isMisconfigured(error: unknown): boolean {
  return isIdempotencyError(error) && error.code === 'CONFIG_INVALID';
}
