import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';

const queue = new SQSClient();

/**
 * Sends every new row of the outbox to be charged, at least once: a batch that fails comes again, and `charge-order` knows
 * an order that it has seen. So this function needs no idempotency of its own.
 */
export async function handler({ Records }: DynamoDBStreamEvent): Promise<void> {
  const inserts = Records.filter(({ eventName }) => eventName === 'INSERT');
  const Entries = inserts.map((record, index) => ({ Id: `${index}`, MessageBody: JSON.stringify(orderIn(record)) }));
  if (Entries.length === 0) return;
  const { Failed = [] } = await queue.send(
    new SendMessageBatchCommand({ QueueUrl: process.env['ORDER_QUEUE_URL'], Entries }),
  );
  if (Failed.length > 0) throw new Error(`${Failed.length} orders were not sent: ${Failed[0]?.Message}`);
}

function orderIn({ dynamodb }: DynamoDBRecord): unknown {
  const { expiresAt, ...order } = unmarshall(dynamodb?.NewImage as Record<string, AttributeValue>);
  return order;
}
