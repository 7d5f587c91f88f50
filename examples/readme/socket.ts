import type { APIGatewayProxyWebsocketEventV2 } from 'aws-lambda';
import { dynamoDBStore, idempotent } from 'effectively-once';

export const handler = idempotent(async (_: APIGatewayProxyWebsocketEventV2) => ({ statusCode: 200, body: 'placed' }), {
  store: dynamoDBStore(),
  key: ({ body = '{}' }) => JSON.parse(body).requestId, // drawn by the client, and kept for its retries
});
