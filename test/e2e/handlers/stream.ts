import type { Context, KinesisStreamEvent, KinesisStreamRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import { type Job, perform } from './job.ts';

const performEach = idempotentBatch<KinesisStreamRecord>(
  (record, { idempotency }) => perform(jobIn(record), idempotency),
  { store: dynamoDBStore(), key: (record) => jobIn(record).orderId },
);

/** This cloud hears of no partial failure: after one, all comes again. */
export async function handler(event: KinesisStreamEvent, context: Context): Promise<void> {
  const { batchItemFailures } = await performEach(event, context);
  if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures[0]?.itemIdentifier} is not done`);
}

function jobIn({ kinesis }: KinesisStreamRecord): Job {
  return JSON.parse(Buffer.from(kinesis.data, 'base64').toString());
}
