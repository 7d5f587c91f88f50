import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import httpErrorHandler from '@middy/http-error-handler';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { idempotency, settled } from 'effectively-once/middy';
import { type PlacedOrder, parseOrder } from './order.ts';

/**
 * `POST /orders` with an `Idempotency-Key`, which becomes the order's id: the order, the row of the outbox from which it is
 * sent to be charged, and the answer are written together, or not at all.
 */
export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>({ requestEnd: settled })
  .use(idempotency({ store: dynamoDBStore() }))
  .use(httpErrorHandler())
  .handler(async (event, { idempotency }) => {
    const order = parseOrder(event.body);
    const orderId = idempotency.key;
    if (!order || !orderId) {
      idempotency.forget(); // the order may come again, mended, with the same key
      return json(400, { message: 'expected {"item": "…", "amount": cents}' });
    }

    const placed: PlacedOrder = { orderId, ...order };
    const answer = json(201, placed);
    try {
      await idempotency.commit(answer, [
        { Put: { TableName: process.env['ORDERS_TABLE'], Item: placed, ...IF_NEW } },
        { Put: { TableName: process.env['OUTBOX_TABLE'], Item: { ...placed, expiresAt: inDays(7) } } },
      ]);
      return answer;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      return json(409, { message: `order ${orderId} exists` }); // from before the retention, or another caller's
    }
  });

const IF_NEW = { ConditionExpression: 'attribute_not_exists(orderId)' };

function json(statusCode: number, body: unknown): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

/** Epoch seconds. */
function inDays(days: number): number {
  return Math.ceil(Date.now() / 1000) + days * 24 * 60 * 60;
}
