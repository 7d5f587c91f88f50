import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { dynamoDBStore, type Store } from 'effectively-once';
import { idempotency, settled } from 'effectively-once/middy';
import { type Send, send } from './orders.ts';

/** `POST /orders`: an order for each `Idempotency-Key`, and the same answer to every duplicate. */
export const createHandler = (store: Store, send: Send) =>
  middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>({ requestEnd: settled })
    .use(idempotency({ store }))
    .handler(async (event, { idempotency }) => {
      const { amount } = JSON.parse(event.body ?? '{}');
      const orderId = idempotency.keyFor('order'); // the same on every attempt
      await idempotency.step('send', () => send({ orderId, amount }));
      return { statusCode: 202, body: JSON.stringify({ orderId }) };
    });

export const handler = createHandler(dynamoDBStore(), send);
