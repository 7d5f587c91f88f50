import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

const orders = DynamoDBDocumentClient.from(new DynamoDBClient());

/** `GET /orders/{id}`: idempotent by nature, and left alone. */
export async function handler(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
  const orderId = event.pathParameters?.['id'];
  const { Item: order } = await orders.send(
    new GetCommand({ TableName: process.env['ORDERS_TABLE'], Key: { orderId }, ConsistentRead: true }),
  );
  return {
    statusCode: order ? 200 : 404,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(order ?? { message: 'no such order' }),
  };
}
