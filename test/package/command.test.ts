import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, runOnce } from 'effectively-once';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { clientOf, type Engine, LOCAL, startDynamoDB } from '../../local/dynamodb.ts';
import { manifest, run } from './project.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamoDB();
  const client = clientOf(engine);
  await client.send(
    new CreateTableCommand({
      TableName: 'records',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    }),
  );
  const store = dynamoDBStore({ client, tableName: 'records' });
  await runOnce({ store, scope: 'charge', key: 'order-1', lease: '30s' }, () => ({ chargeId: 'ch_1' }));
});
afterAll(() => engine.stop());

describe('npx effectively-once, from the tarball', () => {
  const folder = () => mkdtempSync(join(inject('projects'), 'command-'));
  const call = (...args: readonly string[]): string => {
    const { accessKeyId, secretAccessKey } = LOCAL.credentials;
    const env = [
      `AWS_REGION=${LOCAL.region}`,
      `AWS_ACCESS_KEY_ID=${accessKeyId}`,
      `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    ];
    const npx = ['npx', '--yes', `--package=${inject('tarball')}`, 'effectively-once'];
    return run(folder(), 'env', ...env, ...npx, ...args, '--table', 'records', '--endpoint-url', engine.endpoint);
  };

  it('finds a record, shows it, and lets it run again', () => {
    const { id } = JSON.parse(call('list', '--json'));
    expect(call('show', id)).toContain("outcome:     { chargeId: 'ch_1' }");
    expect(call('forget', id, '--yes')).toContain('Forgotten');
    expect(call('show', id, '--json')).toContain('"state":"released"');
  });

  it('brings the clients that doctor needs along', () => {
    expect(() => call('doctor')).toThrow(
      /✗ table records: `timeToLiveAttribute` is not set.*\n[\s\S]*functions: they could not be checked/,
    );
  });

  it('adds no dependency for those who import the library, and says what it is bundled with', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['@types/aws-lambda']);
    expect(inject('packed')).toContain('dist/cli/THIRD-PARTY.txt');
  });
});
