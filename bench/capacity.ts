import { randomBytes } from 'node:crypto';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore, type Execution, type RunOnceOptions, runOnce } from 'effectively-once';
import { clientOf, startDynamoDB } from '../local/dynamodb.ts';

/** What each path asks of DynamoDB: requests, and the capacity units that the engine says they consumed, which must not become more. */
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
const steps =
  (kilobytes: number) =>
  async ({ step }: Execution): Promise<void> => {
    const value = (): string =>
      randomBytes(kilobytes * 1024)
        .toString('base64')
        .slice(0, kilobytes * 1024);
    for (let index = 0; index < 40; index++) await step(`step-${index}`, value);
  };
const sideBySide = ({ step }: Execution): Promise<unknown> =>
  Promise.all(
    Array.from({ length: 40 }, (_, index) => step(`step-${index}`, () => randomBytes(375).toString('base64'))),
  );
const commit = ({ commit }: Execution) =>
  commit(order, [{ Put: { TableName: orders, Item: { id: `o-${Math.random()}` } } }]);

/** `most`: the units that it may take. */
const PATHS: readonly [path: string, most: number, go: () => Promise<unknown>][] = [
  ['first run', 2, () => runOnce(options('a'), () => order)],
  ['duplicate', 1, () => runOnce(options('a'), () => order)],
  ['warm duplicate', 0, () => runOnce({ ...options('w'), store: warm }, () => order)],
  ['commit, one write', 5, () => runOnce(options('c'), commit)],
  ['atomic first, one write', 4, () => runOnce({ ...options('d'), mode: 'atomic' }, commit)],
  ['atomic duplicate', 4, () => runOnce({ ...options('d'), mode: 'atomic' }, commit)],
  ['first run, 300 KB result', 304, () => runOnce(options('l'), () => large)],
  ['duplicate of a 300 KB result', 77, () => runOnce(options('l'), () => large)],
  ['40 steps of 1 KB', 130, () => runOnce(options('s'), steps(1))],
  ['40 steps of 7 KB', 400, () => runOnce(options('t'), steps(7))],
  ['40 steps of 500 bytes at once', 230, () => runOnce(options('u'), sideBySide)],
];
await runOnce({ ...options('w'), store: warm }, () => order);

for (const [path, most, go] of PATHS) {
  requests = [];
  units = 0;
  await go();
  const isWithin = units <= most;
  if (!isWithin) process.exitCode = 1;
  const kinds = Object.entries(Object.groupBy(requests, (request) => request));
  console.log(
    `${path.padEnd(30)} ${`${requests.length}`.padStart(3)} requests ${units.toString().padStart(6)} units of at most ${most}: ` +
      kinds.map(([request, all = []]) => (all.length > 1 ? `${all.length} ${request}` : request)).join(', '),
  );
}
await engine.stop();
