import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { idempotency, settled } from 'effectively-once/middy';
import { z } from 'zod';
import { payments } from './payments.ts';

const Order = z.object({ orderId: z.string(), amount: z.int().positive() });

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>({ requestEnd: settled })
  .use(idempotency({ store: dynamoDBStore() }))
  .handler(async (event, { idempotency }) => {
    const order = Order.safeParse(JSON.parse(event.body ?? '{}'));
    if (!order.success) {
      idempotency.forget(); // nothing was done: the client may mend the payload and keep the key
      return { statusCode: 400, body: JSON.stringify(z.flattenError(order.error)) };
    }
    const charge = await payments.charge(order.data.orderId, order.data.amount);
    return { statusCode: 201, body: JSON.stringify(charge) };
  });
