import {
  type AttributeValue,
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  PutItemCommand,
  TransactWriteItemsCommand,
  type TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb';

/** An engine under measurement. */
export interface Subject {
  readonly client: DynamoDBClient;
  readonly endpoint: string;
  readonly TableName: string;
}

export type Item = Record<string, AttributeValue>;
export const KB = 1024;
export const idOf = (id: string): Item => ({ id: { S: id } });
export const key = (): Item => idOf(crypto.randomUUID());
/** An item of just that size: names and values count. */
export const sized = (bytes: number): Item => ({
  ...key(),
  b: { B: new Uint8Array(bytes - 'id'.length - 36 - 'b'.length) },
});
export const saved = async (
  { client, TableName }: Subject,
  Item: Item = { ...key(), v: { N: '1' } },
): Promise<Item> => {
  await client.send(new PutItemCommand({ TableName, Item }));
  return Item;
};
export const add = (TableName: string, Key: Item) => ({
  Update: { TableName, Key, UpdateExpression: 'ADD n :one', ExpressionAttributeValues: { ':one': { N: '1' } } },
});
export const transact = ({ client }: Subject, input: TransactWriteItemsCommandInput) =>
  client.send(new TransactWriteItemsCommand(input));
/** The error that a promise ends with, or that it was accepted. */
export const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'accepted',
    ({ name }) => name,
  );

export async function tableOf(client: DynamoDBClient, more: Partial<CreateTableCommandInput> = {}): Promise<string> {
  const TableName = `table-${crypto.randomUUID()}`;
  const schema: Omit<CreateTableCommandInput, 'TableName'> = {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  };
  await client.send(new CreateTableCommand({ TableName, ...schema, ...more }));
  return TableName;
}
