import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { misuse } from '../src/core/errors.ts';
import type { Store } from '../src/core/store.ts';
import { ENVIRONMENT } from '../src/environment.ts';
import { dynamoDBStore } from '../src/stores/dynamodb/index.ts';
import type { Connection } from './command.ts';
import { usage } from './exit.ts';

/** The table that the options name, or the environment. */
export function connectionOf({ table: named, region, endpointUrl }: Readonly<Record<string, any>>): Connection {
  const table: string | undefined = named ?? process.env[ENVIRONMENT.table];
  if (!table) throw usage(`no table: give --table, or set ${ENVIRONMENT.table}`);
  if (endpointUrl !== undefined && !isHttp(endpointUrl))
    throw usage(`--endpoint-url is ${endpointUrl}; expected an address such as http://localhost:8000`);
  const [, ofArn] = /^arn:[^:]+:dynamodb:([^:]+):/.exec(table) ?? [];
  const where = region ?? ofArn;
  const client = new DynamoDBClient({
    ...(where !== undefined && { region: where }),
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  });
  const store = dynamoDBStore({ tableName: table, client, cache: false });
  const write: Store['write'] = async (...args) => {
    expectClock(client);
    return store.write(...args);
  };
  return { client, table, store: { ...store, write } };
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** Slow answers make a good clock look wrong by their seconds. */
const MOST_APART_S = 30;

/** The SDK signs with a corrected time where AWS refuses ours. But whether a lease is over is judged by ours. */
function expectClock({ config }: DynamoDBClient): void {
  const apart = Math.round(Math.abs(config.systemClockOffset) / 1_000);
  if (apart <= MOST_APART_S) return;
  throw misuse(`the clock of this machine is ${apart} s apart from that of AWS: nothing is decided by it`);
}
