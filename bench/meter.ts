import {
  type AttributeValue,
  type BatchExecuteStatementCommandInput,
  type BatchExecuteStatementCommandOutput,
  type DynamoDBClient,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import { itemBytes } from '../src/stores/dynamodb/size.ts';

type Item = Record<string, AttributeValue>;

/** What the requests of a client took. */
export interface Meter {
  readonly requests: string[];
  writeUnits: number;
  readUnits: number;
}

/**
 * Counts the requests of a client, and the capacity units that the engine says they consumed. It does not say so of a refused write:
 * DynamoDB charges what the item in the way weighs, twice that in a transaction. `aside`: a client that is not counted.
 */
export function metered(client: DynamoDBClient, aside: DynamoDBClient): Meter {
  const meter: Meter = { requests: [], writeUnits: 0, readUnits: 0 };
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const name = commandName.replace('Command', '');
        meter.requests.push(name);
        const input = { ...args.input, ReturnConsumedCapacity: 'TOTAL' };
        const result = await next({ ...args, input }).catch((error) => {
          meter.writeUnits += refusedUnits(error);
          throw error;
        });
        const { ConsumedCapacity = [] } = result.output as { ConsumedCapacity?: unknown };
        const tables = [ConsumedCapacity].flat() as { CapacityUnits?: number }[];
        const units = tables.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
        if (name.includes('Get')) meter.readUnits += units;
        else meter.writeUnits += units;
        if (name === 'BatchExecuteStatement') {
          meter.writeUnits += await misstated(args.input as never, result.output as never, aside);
        }
        return result;
      },
    { step: 'initialize' },
  );
  return meter;
}

function refusedUnits({ Item, CancellationReasons = [] }: { Item?: Item; CancellationReasons?: { Item?: Item }[] }) {
  return (Item ? unitsOf(Item) : 0) + CancellationReasons.reduce((sum, { Item = {} }) => sum + 2 * unitsOf(Item), 0);
}

/**
 * Write units by which the engine is wrong about the refused statements of a batch: it charges what is in the way, or nothing at all if
 * each is refused. DynamoDB charges an INSERT its own size, as measured on it.
 */
async function misstated(
  { Statements = [] }: BatchExecuteStatementCommandInput,
  { Responses = [], ConsumedCapacity = [] }: BatchExecuteStatementCommandOutput,
  aside: DynamoDBClient,
): Promise<number> {
  let units = 0;
  for (const [index, { Error: error, TableName }] of Responses.entries()) {
    if (!error) continue;
    const { Statement = '', Parameters = [] } = Statements[index] ?? {};
    const own = Object.fromEntries(namesIn(Statement).map((name, at) => [name, Parameters[at]])) as Item;
    const found = await aside.send(new GetItemCommand({ TableName, Key: { id: own['id'] as AttributeValue } }));
    const inTheWay = unitsOf(found.Item ?? {});
    const isInsert = Statement.startsWith('INSERT');
    units += (isInsert ? unitsOf(own) : inTheWay) - (ConsumedCapacity.length > 0 ? inTheWay : 0);
  }
  return units;
}

/** The attributes that its parameters are for. */
function namesIn(statement: string): string[] {
  return [...statement.matchAll(/(\w+)['"]?\s*[:=]\s*(?:\w+\s*\+\s*)?\?/g)].map(([, name = '']) => name);
}

function unitsOf(item: Item): number {
  return Math.max(1, Math.ceil(itemBytes(item as never) / 1024));
}
