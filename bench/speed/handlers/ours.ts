import { dynamoDBStore, idempotent } from 'effectively-once';

export const handler = idempotent(async () => ({ statusCode: 201 }), {
  store: dynamoDBStore({ tableName: 'idempotency' }),
});
