import { BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { persistently, storeError } from './errors.ts';
import { type Item, itemId, keyOf } from './item.ts';

/** A client and the table it is to use. */
export interface Connection {
  readonly client: Pick<DynamoDBClient, 'send'>;
  readonly TableName: string;
}

/** Sends a request, retries contention, and throws the errors of the port. */
export async function ask<T>(
  to: Connection,
  request: (to: Connection) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await persistently(() => request(to), signal);
  } catch (error) {
    throw storeError(error, to.TableName);
  }
}

/** The items that exist, by id. A consistent read: a pointer may be followed as soon as it is written. */
export async function itemsOf(
  to: Connection,
  ids: readonly string[],
  abortSignal?: AbortSignal,
): Promise<Map<string, Item>> {
  const found = new Map<string, Item>();
  let Keys = ids.map(keyOf);
  await ask(
    to,
    async ({ client, TableName }) => {
      const RequestItems = { [TableName]: { Keys, ConsistentRead: true } };
      const read = await client.send(new BatchGetItemCommand({ RequestItems }), { abortSignal });
      for (const item of Object.values(read.Responses ?? {}).flat() as Item[]) found.set(itemId(item), item);
      Keys = Object.values(read.UnprocessedKeys ?? {}).flatMap((left) => left.Keys as typeof Keys);
      if (Keys.length > 0) throw Object.assign(new Error('keys were left over'), { name: 'ThrottlingException' });
    },
    abortSignal,
  );
  return found;
}
