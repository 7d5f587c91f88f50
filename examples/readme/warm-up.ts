import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { idempotency, settled } from 'effectively-once/middy';

const warmUp: middy.MiddlewareObj<APIGatewayProxyEventV2 & { source?: string }> = {
  before: ({ event }) => (event.source === 'warm-up' ? { statusCode: 204 } : undefined),
};

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>({ requestEnd: settled })
  .use(warmUp) // first: a warm-up has no key
  .use(idempotency({ store: dynamoDBStore() }))
  .handler(async () => ({ statusCode: 201 }));
