import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import { fail, type Job, perform } from './job.ts';

const performEach = idempotentBatch<SQSRecord, Context & { readonly batch: number }>(
  (record, { idempotency, batch }) => perform(jobIn(record), idempotency, batch),
  { store: dynamoDBStore(), key: (record) => jobIn(record).orderId },
);

export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const answer = await performEach(event, { ...context, batch: event.Records.length });
  for (const record of event.Records) {
    const { fault } = jobIn(record);
    const isFirst = record.attributes.ApproximateReceiveCount === '1';
    if (fault?.at === 'outcome' && isFirst) await fail(fault);
  }
  return answer;
}

function jobIn({ body }: SQSRecord): Job {
  return JSON.parse(body);
}
