import type { DynamoDBRecord, KinesisStreamRecord } from 'aws-lambda';

type StreamRecord = KinesisStreamRecord | DynamoDBRecord;

/** What an invocation answers; it throws if the function failed. */
type Invoke<R> = (event: { Records: R[] }) => Promise<unknown>;

/**
 * Delivers the records of one shard as Lambda does with `ReportBatchItemFailures`: a batch at a time, from its checkpoint on, until all
 * are done. The checkpoint is the lowest sequence number that an answer names; after an error, or an answer that makes no sense, the batch
 * comes again whole. Gives how many records each batch had; throws after `most` batches.
 */
export async function deliver<R extends StreamRecord>(
  records: readonly R[],
  { batchSize, most, invoke }: { readonly batchSize: number; readonly most: number; readonly invoke: Invoke<R> },
): Promise<number[]> {
  const sizes: number[] = [];
  for (let checkpoint = 0; checkpoint < records.length; ) {
    if (sizes.length === most) throw new Error(`${records.length - checkpoint} records are left after ${most} batches`);
    const batch = records.slice(checkpoint, checkpoint + batchSize);
    sizes.push(batch.length);
    checkpoint += await invoke({ Records: batch }).then(
      (answer) => done(batch, answer),
      () => 0,
    );
  }
  return sizes;
}

/** How many records of a batch an answer says are done, from its beginning. */
export function done(batch: readonly StreamRecord[], answer: unknown): number {
  const failures = (answer as { readonly batchItemFailures?: unknown } | undefined | null)?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return 0;
  const places = failures.map((failure) => batch.findIndex((record) => sequenceOf(record) === failure?.itemIdentifier));
  return places.length === 0 ? batch.length : Math.max(0, Math.min(...places)); // an unknown one is at -1
}

function sequenceOf(record: StreamRecord): string {
  return ('kinesis' in record ? record.kinesis.sequenceNumber : record.dynamodb?.SequenceNumber) ?? 'none';
}
