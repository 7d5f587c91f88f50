import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { KinesisStreamRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch, TerminalError } from 'effectively-once';
import { payments } from './payments.ts';

const sqs = new SQSClient();
const orderIn = ({ kinesis }: KinesisStreamRecord) => JSON.parse(Buffer.from(kinesis.data, 'base64').toString());

export const handler = idempotentBatch(
  async (record: KinesisStreamRecord) => {
    const { orderId, amount } = orderIn(record);
    if (amount <= 0) throw new TerminalError('there is nothing to pay'); // no redelivery can mend it
    return payments.charge(orderId, amount);
  },
  {
    store: dynamoDBStore(),
    key: (record) => orderIn(record).orderId, // also a producer that sends again has one effect
    onTerminal: async (record, error) => {
      const MessageBody = JSON.stringify({ record, error: String(error) });
      await sqs.send(new SendMessageCommand({ QueueUrl: process.env['DEAD_LETTERS'], MessageBody }));
    },
  },
);
