import { CreateTableCommand, type CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { clientOf, type Engine } from '../../local/dynamodb.ts';
import { PARTITION_KEY } from '../../src/stores/dynamodb/item.ts';

type Schema = Required<Pick<CreateTableCommandInput, 'KeySchema' | 'AttributeDefinitions'>>;

/** The tables of the example's stack. */
const SCHEMAS = {
  records: keyed({ [PARTITION_KEY]: 'S' }),
  trips: keyed({ tripId: 'S' }),
  ledger: keyed({ tripId: 'S', version: 'N' }),
  rejected: keyed({ place: 'S' }),
};

/** What is in the tables. */
export type State = Readonly<Record<keyof typeof SCHEMAS, readonly Record<string, any>[]>>;

/** How the handler finds the tables. */
export const TABLES: Readonly<Record<string, keyof typeof SCHEMAS>> = {
  IDEMPOTENCY_TABLE: 'records',
  TRIPS_TABLE: 'trips',
  LEDGER_TABLE: 'ledger',
  REJECTED_TABLE: 'rejected',
};

export async function createTables(engine: Pick<Engine, 'endpoint'>): Promise<void> {
  const client = clientOf(engine);
  for (const [TableName, schema] of Object.entries(SCHEMAS)) {
    await client.send(new CreateTableCommand({ TableName, BillingMode: 'PAY_PER_REQUEST', ...schema }));
  }
  client.destroy();
}

export async function stateOf(engine: Pick<Engine, 'endpoint'>): Promise<State> {
  const client = clientOf(engine);
  const tables = DynamoDBDocumentClient.from(client);
  const read = async (TableName: string): Promise<Record<string, any>[]> => {
    const items: Record<string, any>[] = [];
    let ExclusiveStartKey: Record<string, any> | undefined;
    do {
      const page = await tables.send(new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey }));
      items.push(...(page.Items ?? []));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey);
    return items;
  };
  const names = Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[];
  const contents = await Promise.all(names.map(async (name) => [name, await read(name)] as const));
  client.destroy();
  return Object.fromEntries(contents) as unknown as State;
}

/** Of a partition key, and a sort key if there is a second. */
function keyed(attributes: Readonly<Record<string, 'S' | 'N'>>): Schema {
  return {
    KeySchema: Object.keys(attributes).map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? 'HASH' : 'RANGE',
    })),
    AttributeDefinitions: Object.entries(attributes).map(([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
  };
}
