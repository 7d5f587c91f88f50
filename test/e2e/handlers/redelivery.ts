import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import { sqsRedelivery } from 'effectively-once/sqs';
import { type Job, perform } from './job.ts';
import { received } from './receives.ts';

// Where nobody names a dead-letter queue, messages come again as the queue says.
const deadLetterQueueUrl = process.env['IDEMPOTENCY_DEAD_LETTER_QUEUE_URL'];

const performEach = idempotentBatch((record: SQSRecord, { idempotency }) => perform(jobIn(record), idempotency), {
  store: dynamoDBStore(),
  key: (record) => jobIn(record).orderId,
  ...(deadLetterQueueUrl && { redelivery: sqsRedelivery({ deadLetterQueueUrl, retryAfter: () => '1s' }) }),
});

export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  await Promise.all(event.Records.map(received));
  return performEach(event, told(event.Records, context));
}

/** As late in an invocation as a message wants it: its body is that of its duplicate, so an attribute says. */
function told([record]: readonly SQSRecord[], context: Context): Context {
  const remaining = Number(record?.messageAttributes['remaining-ms']?.stringValue);
  if (!remaining) return context;
  const until = Date.now() + remaining;
  return { ...context, getRemainingTimeInMillis: () => until - Date.now() };
}

function jobIn({ body }: SQSRecord): Job {
  return JSON.parse(body);
}
