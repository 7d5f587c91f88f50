import middy from '@middy/core';
import httpCors from '@middy/http-cors';
import httpErrorHandler from '@middy/http-error-handler';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { idempotency, settled } from 'effectively-once/middy';

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>({ requestEnd: settled })
  .use(idempotency({ store: dynamoDBStore() }))
  .use(
    httpCors({
      origins: ['https://shop.example.com'],
      headers: 'Content-Type, Idempotency-Key', // what a browser may send
      exposeHeaders: 'Idempotent-Replayed, Retry-After', // what a script may read
      disableBeforePreflightResponse: false, // it answers OPTIONS, if the API does not
    }),
  )
  .use(httpErrorHandler()) // without it, httpCors leaves errors and refusals alone
  .handler(async () => ({ statusCode: 201 }));
