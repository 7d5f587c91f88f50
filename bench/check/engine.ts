import { CreateTableCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { clientOf, startDynamoDB } from '../../local/dynamodb.ts';
import { BY_ID } from '../table.ts';

/** Gives the embedded engine, with these tables, to whoever counts on it. */
export async function onEngine<T>(tables: readonly string[], use: (client: DynamoDBClient) => Promise<T>): Promise<T> {
  const engine = await startDynamoDB();
  const client = clientOf(engine);
  try {
    for (const TableName of tables) {
      await client.send(new CreateTableCommand({ TableName, ...BY_ID }));
    }
    return await use(client);
  } finally {
    client.destroy();
    await engine.stop();
  }
}

export async function itemsOf(client: DynamoDBClient, TableName: string) {
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  return Items;
}
