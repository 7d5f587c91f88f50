import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { ChunkTable } from '../chunk.ts';
import { bytesOf, renewal, toChunkItem } from './item.ts';
import { ask, type Connection, itemsOf } from './table.ts';

/** Chunks as items of the records' table. */
export function chunkTable(connect: () => Connection): ChunkTable {
  return {
    async put(chunk, signal) {
      const to = connect();
      await ask(new PutItemCommand({ TableName: to.TableName, Item: toChunkItem(chunk) }), to, signal);
    },

    async renew(id, expiresAt, signal) {
      const to = connect();
      const update = new UpdateItemCommand({ TableName: to.TableName, ...renewal(id, expiresAt) });
      await ask(update, to, signal).catch((error) => {
        if (error.cause?.name !== 'ConditionalCheckFailedException') throw error; // otherwise the chunk is gone
      });
    },

    async get(ids, signal) {
      const items = await itemsOf(connect(), ids, signal);
      return ids.map((id) => bytesOf(items.get(id)));
    },
  };
}
