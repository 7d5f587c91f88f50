import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { clientOf, startDynamoDB, type TableSchema } from '../local/dynamodb.ts';
import { PARTITION_KEY } from '../src/stores/dynamodb/item.ts';

declare module 'vitest' {
  interface ProvidedContext {
    endpoint: string;
  }
}

/** One embedded DynamoDB for all test files. */
// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await startDynamoDB();
  project.provide('endpoint', engine.endpoint);
  return () => engine.stop();
}

export function engineClient(): DynamoDBClient {
  return clientOf({ endpoint: inject('endpoint') });
}

export async function createTable(client: DynamoDBClient, partitionKey: string = PARTITION_KEY): Promise<string> {
  const TableName = `table-${crypto.randomUUID()}`;
  const schema: TableSchema = {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: partitionKey, KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: partitionKey, AttributeType: 'S' }],
  };
  await client.send(new CreateTableCommand({ TableName, ...schema }));
  return TableName;
}
