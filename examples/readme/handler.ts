import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { idempotency, settled } from 'effectively-once/middy';
import { payments } from './payments.ts';

const store = dynamoDBStore(); // table from IDEMPOTENCY_TABLE

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>({ requestEnd: settled })
  .use(idempotency({ store }))
  .handler(async (event) => {
    const { orderId, amount } = JSON.parse(event.body ?? '');
    const charge = await payments.charge(orderId, amount);
    return { statusCode: 201, body: JSON.stringify(charge) };
  });
