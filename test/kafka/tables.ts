import { randomUUID } from 'node:crypto';
import { CreateTableCommand, type CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { clientOf, type Engine } from '../../local/dynamodb.ts';
import { PARTITION_KEY } from '../../src/stores/dynamodb/item.ts';

/** The tables of the example's stack, and the variables by which its functions find them. */
const TABLES = {
  records: { variable: 'IDEMPOTENCY_TABLE', ...keyed({ [PARTITION_KEY]: 'S' }) },
  trips: { variable: 'TRIPS_TABLE', ...keyed({ tripId: 'S' }) },
  ledger: { variable: 'LEDGER_TABLE', ...keyed({ tripId: 'S', version: 'N' }) },
  rejected: { variable: 'REJECTED_TABLE', ...keyed({ place: 'S' }) },
  totals: { variable: 'TOTALS_TABLE', ...keyed({ city: 'S' }) },
};

/** What is in the tables. */
export type State = Readonly<Record<keyof typeof TABLES, readonly Record<string, any>[]>>;

export interface Tables {
  /** What the example's functions are to be started with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly read: () => Promise<State>;
}

/** Creates them, with names of their own. */
export async function createTables(engine: Pick<Engine, 'endpoint'>): Promise<Tables> {
  const client = clientOf(engine);
  const tables = Object.entries(TABLES).map(([table, { variable, ...schema }]) => ({
    table,
    variable,
    schema,
    TableName: `${table}-${randomUUID()}`,
  }));
  for (const { TableName, schema } of tables) {
    await client.send(new CreateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST', ...schema }));
  }
  return {
    environment: Object.fromEntries(tables.map(({ variable, TableName }) => [variable, TableName])),
    async read() {
      const read = tables.map(async ({ table, TableName }) => [table, await itemsOf(client, TableName)] as const);
      return Object.fromEntries(await Promise.all(read)) as unknown as State;
    },
  };
}

async function itemsOf(
  client: Parameters<typeof DynamoDBDocumentClient.from>[0],
  TableName: string,
): Promise<object[]> {
  const tables = DynamoDBDocumentClient.from(client);
  const items: object[] = [];
  let ExclusiveStartKey: Record<string, any> | undefined;
  do {
    const page = await tables.send(new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey }));
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items;
}

/** By a partition key, and a sort key if there is a second. */
function keyed(
  attributes: Readonly<Record<string, 'S' | 'N'>>,
): Required<Pick<CreateTableCommandInput, 'KeySchema' | 'AttributeDefinitions'>> {
  const names = Object.entries(attributes);
  return {
    KeySchema: names.map(([AttributeName], index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    AttributeDefinitions: names.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
  };
}
