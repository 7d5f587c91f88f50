import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';

export const handler = makeIdempotent(async (_event: object, _context: object) => ({ statusCode: 201 }), {
  persistenceStore: new DynamoDBPersistenceLayer({ tableName: 'idempotency' }),
  config: new IdempotencyConfig({ eventKeyJmesPath: 'headers."idempotency-key"' }),
});
