// What a user's CDK app bundles: the published package, not its sources.
import { dynamoDBStore, idempotentBatch } from 'effectively-once';

export const handler = idempotentBatch(async (record) => record.body, { store: dynamoDBStore() });
