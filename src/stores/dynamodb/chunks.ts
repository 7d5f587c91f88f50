import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { ChunkTable } from '../chunks.ts';
import { bytesOf, renewal, toChunkItem } from './item.ts';
import { ask, type Connection, itemsOf } from './table.ts';

/** Chunks as items of the records' table. */
export function chunkTable(connect: () => Connection): ChunkTable {
  return {
    async put(chunk, abortSignal) {
      const send = ({ client, TableName }: Connection) =>
        client.send(new PutItemCommand({ TableName, Item: toChunkItem(chunk) }), { abortSignal });
      await ask(connect(), send, abortSignal);
    },

    async renew(id, expiresAt, abortSignal) {
      const send = ({ client, TableName }: Connection) =>
        client.send(new UpdateItemCommand({ TableName, ...renewal(id, expiresAt) }), { abortSignal });
      await ask(
        connect(),
        (to) =>
          send(to).catch((error) => {
            if (error.name !== 'ConditionalCheckFailedException') throw error; // otherwise the chunk is gone
          }),
        abortSignal,
      );
    },

    async get(ids, abortSignal) {
      const items = await itemsOf(connect(), ids, abortSignal);
      return ids.map((id) => bytesOf(items.get(id)));
    },
  };
}
