import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { TransactWrite } from 'effectively-once';
import { createTable, engineClient } from './engine.ts';

/** A table of orders that commits write to. */
export interface Orders {
  readonly tableName: string;
  /** Fails where the order is there already. */
  readonly put: (orderId: string) => TransactWrite;
  /** One more charge. */
  readonly count: (orderId: string) => TransactWrite;
  readonly chargesOf: (orderId: string) => Promise<unknown>;
}

export async function openOrders(): Promise<Orders> {
  const client = engineClient();
  const documents = DynamoDBDocumentClient.from(client);
  const TableName = await createTable(client, 'orderId');
  return {
    tableName: TableName,
    put: (orderId) => ({
      Put: { TableName, Item: { orderId, paid: true }, ConditionExpression: 'attribute_not_exists(orderId)' },
    }),
    count: (orderId) => ({
      Update: {
        TableName,
        Key: { orderId },
        UpdateExpression: 'ADD charges :one',
        ExpressionAttributeValues: { ':one': 1 },
      },
    }),
    chargesOf: async (orderId) => {
      const { Item: order } = await documents.send(
        new GetCommand({ TableName, Key: { orderId }, ConsistentRead: true }),
      );
      return order?.['charges'];
    },
  };
}
