import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ENVIRONMENT } from '../src/environment.ts';
import { dynamoDBStore } from '../src/stores/dynamodb/index.ts';
import type { Connection } from './command.ts';
import { usage } from './exit.ts';

/** The table that the options name, or the environment. */
export function connectionOf({ table: named, region, endpointUrl }: Readonly<Record<string, any>>): Connection {
  const table: string | undefined = named ?? process.env[ENVIRONMENT.table];
  if (!table) throw usage(`no table: give --table, or set ${ENVIRONMENT.table}`);
  const [, ofArn] = /^arn:[^:]+:dynamodb:([^:]+):/.exec(table) ?? [];
  const where = region ?? ofArn;
  const client = new DynamoDBClient({
    ...(where !== undefined && { region: where }),
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
  return { client, table, store: dynamoDBStore({ tableName: table, client, cache: false }) };
}
