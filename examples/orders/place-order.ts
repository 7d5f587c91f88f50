import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import httpErrorHandler from '@middy/http-error-handler';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { type PlacedOrder, parseOrder } from './order.ts';

const orders = DynamoDBDocumentClient.from(new DynamoDBClient());
const queue = new SQSClient();

/**
 * `POST /orders` with an `Idempotency-Key`: writes the order down and sends it to be charged.
 *
 * The key is the order's id. So if this function dies between its effects, the run after it writes the same order and sends
 * the same order id, by which `charge-order` knows a duplicate.
 */
export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
  .use(idempotency({ store: dynamoDBStore() }))
  .use(httpCors())
  .use(httpErrorHandler())
  .handler(async (event, context) => {
    const order = parseOrder(event.body);
    const orderId = context.idempotency.key;
    if (!order || !orderId) return json(400, { message: 'expected {"item": "…", "amount": cents}' });

    const placed: PlacedOrder = { orderId, ...order };
    await orders.send(new PutCommand({ TableName: process.env['ORDERS_TABLE'], Item: placed }));
    await queue.send(
      new SendMessageCommand({ QueueUrl: process.env['ORDER_QUEUE_URL'], MessageBody: JSON.stringify(placed) }),
    );
    return json(201, placed);
  });

function json(statusCode: number, body: unknown): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
