import { gzipSync } from 'node:zlib';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { dynamoDBStore } from 'effectively-once';
import { idempotency, settled } from 'effectively-once/middy';

const compressed: middy.MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2> = {
  after: ({ event, response }) => {
    if (!response?.body || !event.headers['accept-encoding']?.includes('gzip')) return;
    response.headers = { ...response.headers, 'Content-Encoding': 'gzip' };
    response.body = gzipSync(response.body).toString('base64');
    response.isBase64Encoded = true;
  },
};

export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>({ requestEnd: settled })
  .use(compressed) // before idempotency: what is recorded is plain, for a retry that accepts something else
  .use(idempotency({ store: dynamoDBStore() }))
  .handler(async () => ({ statusCode: 201, body: JSON.stringify({ items: Array(100).fill('book') }) }));
