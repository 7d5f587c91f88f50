import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';

export const handler = idempotent(
  async (event: APIGatewayProxyEventV2, { idempotency }) => {
    const orderId = idempotency.keyFor('order');
    const order = { orderId, ...JSON.parse(event.body ?? '') };
    await idempotency.commit({ statusCode: 201, body: JSON.stringify(order) }, [
      { Put: { TableName: process.env['ORDERS_TABLE'], Item: order } },
      { Put: { TableName: process.env['OUTBOX_TABLE'], Item: order } }, // its stream invokes the relay
    ]);
  },
  { store: dynamoDBStore() },
);
