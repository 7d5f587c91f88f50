import { misuse } from '../../core/errors.ts';
import { isPresent, membersOf } from '../members.ts';
import { dynamoDBStream } from './dynamodb-stream.ts';
import { kafka } from './kafka.ts';
import { kinesis } from './kinesis.ts';
import { type BatchSource, type Identifier, isOfKafka, recordsIn } from './source.ts';
import { sqs } from './sqs.ts';

/** The sources of batches. */
export const BATCHES: readonly BatchSource<any>[] = [sqs, kinesis, dynamoDBStream, kafka];

/** A batch as it arrived, read before a handler touches it. */
export interface Batch<R> {
  /** Undefined: of an event without records nobody can tell. */
  readonly source: BatchSource<R> | undefined;
  readonly records: readonly R[];
  readonly identifiers: ReadonlyMap<R, Identifier>;
}

export function isBatch(event: unknown): boolean {
  return Array.isArray(membersOf(event)['Records']) !== isOfKafka(event);
}

/** Throws `MISUSE` for what is no batch, for one of mixed sources, and for a record of which nothing could be reported. */
export function batchOf<R>(event: unknown): Batch<R> {
  if (!isBatch(event)) throw misuse(`idempotentBatch expects a batch of ${TITLES}`);
  if (isPresent(membersOf(event)['window'])) {
    throw misuse('a tumbling window cannot be wrapped: a record by itself has no `state`');
  }
  const records = recordsIn(event) as readonly R[];
  const known = BATCHES.find((one) => (one === kafka) === isOfKafka(event) && one.matches(records[0]));
  const source = known?.of?.(event) ?? known;
  const identifiers = new Map(records.map((record, index) => [record, identified(record, index, source)]));
  return { source, records, identifiers };
}

const TITLES = BATCHES.map(({ title }) => title).join(', ');

function identified<R>(record: R, index: number, source: BatchSource<R> | undefined): Identifier {
  if (!source?.matches(record)) throw misuse(`record ${index} of the batch is not of ${source?.title ?? TITLES}`);
  const identifier = source.identify(record);
  if (identifier === undefined)
    throw misuse(`record ${index} of ${source.title} has no identifier: nothing could be reported of it`);
  return identifier;
}
