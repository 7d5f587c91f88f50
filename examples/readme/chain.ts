import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import httpErrorHandler from '@middy/http-error-handler';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { earlyTimeout, idempotency, settled } from 'effectively-once/middy';
import { authenticate } from './authenticate.ts';

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>({
  requestEnd: settled,
  timeoutEarlyResponse: earlyTimeout(() => ({ statusCode: 504 })),
})
  .use(authenticate) // first: a caller who is refused here never sees a stored answer
  .use(idempotency({ store: dynamoDBStore() })) // then this: its `after` and `onError` run after all that follow
  .use(httpCors({ exposeHeaders: 'Idempotent-Replayed, Retry-After' }))
  .use(httpErrorHandler())
  .handler(async () => ({ statusCode: 200 }));
