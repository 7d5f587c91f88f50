import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { dynamoDBStore, idempotentBatch } from 'effectively-once';
import { payments } from './payments.ts';

const orders = DynamoDBDocumentClient.from(new DynamoDBClient());

export const handler = idempotentBatch(
  async (record, { idempotency }) => {
    const { orderId, amount } = JSON.parse(record.body);
    // Recorded before the handler goes on: a later attempt gets the charge, and does not make another.
    const charge = await idempotency.step('charge', ({ key }) => payments.charge(orderId, amount, key));
    // Conditioned on the attempt: a run that was taken over can no longer write.
    await orders.send(
      new UpdateCommand({
        TableName: process.env['ORDERS_TABLE'],
        Key: { orderId },
        UpdateExpression: 'SET chargeId = :chargeId, attempt = :attempt',
        ConditionExpression: 'attribute_not_exists(attempt) OR attempt <= :attempt',
        ExpressionAttributeValues: { ':chargeId': charge.chargeId, ':attempt': idempotency.attempt },
      }),
    );
  },
  { store: dynamoDBStore(), key: (record) => JSON.parse(record.body).orderId },
);
