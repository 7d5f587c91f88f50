import type { SQSRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import { sqsRedelivery } from 'effectively-once/sqs';
import { payments } from './payments.ts';

export const handler = idempotentBatch(
  async (record: SQSRecord) => {
    const { orderId, amount } = JSON.parse(record.body);
    return payments.charge(orderId, amount);
  },
  {
    store: dynamoDBStore(),
    key: (record) => JSON.parse(record.body).orderId,
    redelivery: sqsRedelivery({ deadLetterQueueUrl: process.env['IDEMPOTENCY_DEAD_LETTER_QUEUE_URL'] as string }),
  },
);
