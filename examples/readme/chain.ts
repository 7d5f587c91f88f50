import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import httpErrorHandler from '@middy/http-error-handler';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { earlyTimeout, idempotency, settled } from 'effectively-once/middy';

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>({
  requestEnd: settled,
  timeoutEarlyResponse: earlyTimeout(() => ({ statusCode: 504 })),
})
  .use(idempotency({ store: dynamoDBStore() })) // first: its `after` and `onError` run last
  .use(httpCors())
  .use(httpErrorHandler())
  .handler(async () => ({ statusCode: 200 }));
