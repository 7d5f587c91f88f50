import { CreateTableCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { BY_ID } from '../table.ts';
import type { Item } from './clients.ts';

/** The embedded DynamoDB that `main.ts` started for this part. */
const LOCAL = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
};

export const TABLE = 'idempotency';
/** Where commits write. */
export const ORDERS = 'orders';

export function engineClient(): DynamoDBClient {
  const endpoint = process.env['DYNAMODB_ENDPOINT'];
  if (!endpoint) throw new Error('DYNAMODB_ENDPOINT is not set: run parts by `npm run bench`.');
  // Some send a thousand requests at once, and are to wait for a socket without a word.
  return new DynamoDBClient({ ...LOCAL, endpoint, requestHandler: { socketAcquisitionWarningTimeout: 60_000 } });
}

export async function createTable(TableName: string): Promise<void> {
  const client = engineClient();
  await client.send(new CreateTableCommand({ TableName, ...BY_ID }));
  client.destroy();
}

/** The only item that `run` leaves in a table of its own. */
export async function itemLeftBy(run: (table: string) => Promise<unknown>): Promise<Item> {
  const TableName = `left-${crypto.randomUUID()}`;
  await createTable(TableName);
  await run(TableName);
  const client = engineClient();
  const { Items = [] } = await client.send(new ScanCommand({ TableName }));
  client.destroy();
  if (Items.length !== 1) throw new Error(`expected one item, found ${Items.length}`);
  return Items[0] as Item;
}
