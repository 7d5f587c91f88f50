import { randomBytes } from 'node:crypto';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, type Execution, type RunOnceOptions, runOnce } from 'effectively-once';
import { clientOf, startDynamoDB } from '../local/dynamodb.ts';

/** What each path asks of DynamoDB: requests, and the capacity units that the engine says they consumed. */
const engine = await startDynamoDB();
const client = clientOf(engine);
const TableName = 'idempotency';
const orders = 'orders';
for (const table of [TableName, orders]) {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    }),
  );
}

let requests: string[] = [];
let units = 0;
client.middlewareStack.add(
  (next, context) => async (args) => {
    requests.push(context.commandName?.replace('Command', '') ?? '');
    const input = { ...args.input, ReturnConsumedCapacity: 'TOTAL' };
    const result = await next({ ...args, input }).catch(refused);
    const { ConsumedCapacity = [] } = result.output as { ConsumedCapacity?: unknown };
    for (const { CapacityUnits = 0 } of [ConsumedCapacity].flat() as { CapacityUnits?: number }[])
      units += CapacityUnits;
    return result;
  },
  { step: 'initialize' },
);

// A refused write costs what the item in the way weighs, twice that in a transaction; the answer does not say so.
function refused(error: { Item?: object; CancellationReasons?: { Item?: object }[] }): never {
  const weigh = (item: object | undefined): number => (item ? Math.ceil(JSON.stringify(item).length / 1024) : 0);
  units += weigh(error.Item);
  for (const { Item } of error.CancellationReasons ?? []) units += 2 * Math.max(1, weigh(Item));
  throw error;
}

const cold = () => dynamoDBStore({ client, tableName: TableName });
const warm = cold();
const options = (key: string): RunOnceOptions => ({ store: cold(), scope: 'bench', key, payload: 1, lease: '30s' });
const order = { orderId: 'order-1', total: 4200 };
const large = randomBytes(300 * 1024).toString('base64');
const commit = ({ commit }: Execution) =>
  commit(order, [{ Put: { TableName: orders, Item: { id: `o-${Math.random()}` } } }]);

const PATHS: readonly [string, () => Promise<unknown>][] = [
  ['first run', () => runOnce(options('a'), () => order)],
  ['duplicate', () => runOnce(options('a'), () => order)],
  ['warm duplicate', () => runOnce({ ...options('w'), store: warm }, () => order)],
  ['commit, one write', () => runOnce(options('c'), commit)],
  ['atomic first, one write', () => runOnce({ ...options('d'), mode: 'atomic' }, commit)],
  ['atomic duplicate', () => runOnce({ ...options('d'), mode: 'atomic' }, commit)],
  ['first run, 300 KB result', () => runOnce(options('l'), () => large)],
  ['duplicate of a 300 KB result', () => runOnce(options('l'), () => large)],
];
await runOnce({ ...options('w'), store: warm }, () => order);

for (const [path, go] of PATHS) {
  requests = [];
  units = 0;
  await go();
  console.log(
    `${path.padEnd(30)} ${requests.length} requests  ${units.toString().padStart(6)} units  ${requests.join(', ')}`,
  );
}
await engine.stop();
