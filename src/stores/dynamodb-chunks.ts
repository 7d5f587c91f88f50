import { BatchGetItemCommand, type DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { ChunkTable } from './chunks.ts';
import { persistently, storeError } from './dynamodb-errors.ts';
import { bytesOf, type Item, idOf, keyOf, renewal, toChunkItem } from './dynamodb-item.ts';

/** A client and the table it is to use. */
export interface Connection {
  readonly client: Pick<DynamoDBClient, 'send'>;
  readonly TableName: string;
}

/** Chunks as items of the records' table. */
export function chunkTable(connect: () => Connection): ChunkTable {
  const ask = async (request: (to: Connection) => Promise<unknown>, signal?: AbortSignal): Promise<void> => {
    const to = connect();
    await persistently(() => request(to), signal).catch((error) => {
      throw storeError(error, to.TableName);
    });
  };

  return {
    put: (chunk, abortSignal) =>
      ask(({ client, TableName }) => {
        return client.send(new PutItemCommand({ TableName, Item: toChunkItem(chunk) }), { abortSignal });
      }, abortSignal),

    renew: (id, expiresAt, abortSignal) =>
      ask(async ({ client, TableName }) => {
        try {
          await client.send(new UpdateItemCommand({ TableName, ...renewal(id, expiresAt) }), { abortSignal });
        } catch (error) {
          if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error; // else it is gone
        }
      }, abortSignal),

    async get(ids, abortSignal) {
      const found = new Map<string, Uint8Array | undefined>();
      let Keys = ids.map(keyOf);
      await ask(async ({ client, TableName }) => {
        // Consistent: a pointer may be followed as soon as it is written.
        const RequestItems = { [TableName]: { Keys, ConsistentRead: true } };
        const read = await client.send(new BatchGetItemCommand({ RequestItems }), { abortSignal });
        for (const item of Object.values(read.Responses ?? {}).flat() as Item[]) found.set(idOf(item), bytesOf(item));
        Keys = Object.values(read.UnprocessedKeys ?? {}).flatMap((left) => left.Keys as typeof Keys);
        if (Keys.length > 0) throw Object.assign(new Error('keys were left over'), { name: 'ThrottlingException' });
      }, abortSignal);
      return ids.map((id) => found.get(id));
    },
  };
}
