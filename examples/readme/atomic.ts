import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';

export const handler = idempotent(
  async (event: APIGatewayProxyEventV2, { idempotency }) => {
    const orderId = idempotency.keyFor('order');
    const Put = { TableName: process.env['ORDERS_TABLE'], Item: { orderId, order: event.body } };
    await idempotency.commit({ statusCode: 201, body: JSON.stringify({ orderId }) }, [{ Put }]);
  },
  { store: dynamoDBStore(), mode: 'atomic' },
);
