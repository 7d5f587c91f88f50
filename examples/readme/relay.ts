import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { dynamoDBStore, idempotentBatch } from 'effectively-once';

const sqs = new SQSClient();

export const handler = idempotentBatch(
  async ({ eventName, dynamodb }: DynamoDBRecord, { idempotency }) => {
    if (eventName !== 'INSERT') return;
    const order = unmarshall(dynamodb?.NewImage as Record<string, AttributeValue>);
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: process.env['ORDERS_QUEUE'], // FIFO
        MessageGroupId: order['orderId'],
        MessageDeduplicationId: idempotency.keyFor('placed'), // a second send within 5 minutes is dropped
        MessageBody: JSON.stringify(order),
      }),
    );
  },
  { store: dynamoDBStore(), scope: 'relay' },
);
