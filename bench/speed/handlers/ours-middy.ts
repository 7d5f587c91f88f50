import middy from '@middy/core';
import { dynamoDBStore } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';

export const handler = middy()
  .use(idempotency<any>({ store: dynamoDBStore({ tableName: 'idempotency' }) }))
  .handler(async () => ({ statusCode: 201 }));
