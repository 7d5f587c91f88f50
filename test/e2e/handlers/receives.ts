import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { SQSRecord } from 'aws-lambda';

/** The row of the ledger under which the receives of a message are. */
export const receivesOf = (messageId: string): string => `received ${messageId}`;

const ledger = DynamoDBDocumentClient.from(new DynamoDBClient());

/** Writes into the ledger that a message was received, how often until now, and when. */
export async function received({ messageId, attributes }: SQSRecord): Promise<void> {
  await ledger.send(
    new UpdateCommand({
      TableName: process.env['LEDGER_TABLE'],
      Key: { orderId: receivesOf(messageId), effectId: attributes.ApproximateReceiveCount.padStart(3, '0') },
      UpdateExpression: 'SET #at = :now',
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: { ':now': Date.now() },
    }),
  );
}
