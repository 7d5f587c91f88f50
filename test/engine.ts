import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { App } from 'aws-cdk-lib';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { clientOf, startDynamoDB, type TableSchema } from '../local/dynamodb.ts';
import { PARTITION_KEY } from '../src/stores/dynamodb/item.ts';

declare module 'vitest' {
  interface ProvidedContext {
    endpoint: string;
    /** Where CDK puts what tests synthesize. */
    assemblies: string;
  }
}

/** One embedded DynamoDB for all test files. */
// biome-ignore lint/style/noDefaultExport: Vitest asks for one
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await startDynamoDB();
  const assemblies = mkdtempSync(join(tmpdir(), 'effectively-once-cdk-'));
  const remove = (): void => rmSync(assemblies, { recursive: true, force: true });
  process.once('exit', remove); // a run that is interrupted tears nothing down
  project.provide('endpoint', engine.endpoint);
  project.provide('assemblies', assemblies);
  return async () => {
    await engine.stop();
    process.off('exit', remove);
    remove();
  };
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

/** A CDK app that bundles nothing, and leaves nothing behind. */
export function testApp(): App {
  const outdir = mkdtempSync(join(inject('assemblies'), 'app-'));
  return new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });
}
