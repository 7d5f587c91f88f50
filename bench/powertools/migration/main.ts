/** Plays the switch that `docs/powertools.md` describes: what the old version has done, the new one does not repeat. */
import assert from 'node:assert/strict';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import type { Context, EventBridgeEvent } from 'aws-lambda';
import { clientOf, LOCAL, startDynamoDB } from '../../../local/dynamodb.ts';

type OrderPlaced = EventBridgeEvent<'OrderPlaced', { orderId: string; amount: number }>;

const engine = await startDynamoDB();
const client = clientOf(engine);
for (const TableName of ['powertools', 'records']) {
  const KeySchema = [{ AttributeName: 'id', KeyType: 'HASH' as const }];
  const AttributeDefinitions = [{ AttributeName: 'id', AttributeType: 'S' as const }];
  await client.send(
    new CreateTableCommand({ TableName, KeySchema, AttributeDefinitions, BillingMode: 'PAY_PER_REQUEST' }),
  );
}
Object.assign(process.env, {
  POWERTOOLS_TABLE: 'powertools',
  IDEMPOTENCY_TABLE: 'records',
  AWS_LAMBDA_FUNCTION_NAME: 'charge',
  AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
  AWS_REGION: LOCAL.region,
  AWS_ACCESS_KEY_ID: LOCAL.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: LOCAL.credentials.secretAccessKey,
});
const [before, during, after] = await Promise.all([
  import('./before.ts'),
  import('../../../examples/powertools/switch.ts'),
  import('../../../examples/powertools/after.ts'),
]);
const { charged } = await import('./payments.ts');

const event = (orderId: string) =>
  ({ source: 'shop', 'detail-type': 'OrderPlaced', detail: { orderId, amount: 5 } }) as OrderPlaced;
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 10_000 } as Context;

const old = await before.handler(event('o-1'), context);
assert.deepEqual(await during.handler(event('o-1'), context), old);
const fresh = await during.handler(event('o-2'), context);
assert.deepEqual(await after.handler(event('o-1'), context), old);
assert.deepEqual(await after.handler(event('o-2'), context), fresh);
assert.deepEqual(charged, ['o-1', 'o-2']);
console.log('✓ each order was charged once, before, during and after the switch');
await engine.stop();
