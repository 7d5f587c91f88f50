import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Item } from './clients.ts';

/** What was asked of the engine since the last reset. */
export interface Asked {
  readonly requests: readonly string[];
  readonly writeUnits: number;
  readonly readUnits: number;
}

/** Counts what a client asks, and the units that the engine says it consumed. */
export function counted(client: DynamoDBClient): { asked: () => Asked; reset: () => void } {
  let requests: string[] = [];
  let writeUnits = 0;
  let readUnits = 0;
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const operation = commandName.replace('Command', '');
        requests.push(operation);
        try {
          const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } });
          const units = unitsOf(result.output as object);
          if (/Get/.test(operation)) readUnits += units;
          else writeUnits += units;
          return result;
        } catch (error) {
          writeUnits += refusedUnits(error as Refusal);
          throw error;
        }
      },
    { step: 'initialize', name: 'counted' },
  );
  const reset = (): void => {
    requests = [];
    writeUnits = 0;
    readUnits = 0;
  };
  return { asked: () => ({ requests, writeUnits, readUnits }), reset };
}

function unitsOf(output: { ConsumedCapacity?: unknown }): number {
  const all = [output.ConsumedCapacity ?? []].flat() as { CapacityUnits?: number }[];
  return all.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}

interface Refusal {
  readonly Item?: Item;
  readonly CancellationReasons?: readonly { Item?: Item }[];
}

// A refused write costs what the item in the way weighs, twice that in a transaction; the answer does not say so.
function refusedUnits({ Item: item, CancellationReasons: reasons = [] }: Refusal): number {
  const alone = item ? weigh(item) : 0;
  return reasons.reduce((sum, reason) => sum + 2 * (reason.Item ? weigh(reason.Item) : 1), alone);
}

const weigh = (item: Item): number => Math.ceil(bytesOf(item) / 1024);

function bytesOf(item: Item): number {
  const entries = Object.entries(item);
  return entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: any): number {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return Math.ceil(value.N.length / 2) + 1;
  if ('B' in value) return value.B.length;
  return 'M' in value ? 3 + bytesOf(value.M) + Object.keys(value.M).length : 1;
}
