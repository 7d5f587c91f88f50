import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import { dynamoDBStore, idempotent, type Store } from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { context, httpEvent, RESPONSE } from '../events.ts';
import { type Calls, callsDuring } from './calls.ts';
import type { Count } from './count.ts';
import { itemsOf, onEngine } from './engine.ts';

const TABLE = 'idempotency';

/** What one invocation makes and calls, beneath a client that answers at once: the library's own work. */
export async function work(): Promise<readonly Count[]> {
  const counts: Count[] = [];
  for (const [door, open] of Object.entries({ wrapper, Middy: chain })) {
    const refusing = refusingWith(await itemLeftBy(open));
    counts.push(...(await countsOf(`first run, ${door}`, open(storeOn(answering)), fresh)));
    counts.push(...(await countsOf(`duplicate, ${door}`, open(storeOn(refusing, false)), KNOWN)));
    counts.push(...(await countsOf(`duplicate from memory, ${door}`, open(storeOn(refusing)), KNOWN)));
  }
  return counts;
}

type Client = Pick<DynamoDBClient, 'send'>;
type Run = (key: string) => Promise<unknown>;

const KNOWN = (): string => 'known';
let serial = 0;
const fresh = (): string => `${++serial}`;

function wrapper(store: Store): Run {
  const handler = idempotent(async () => ({ ...RESPONSE }), { store, scope: 'orders' });
  return (key) => handler(httpEvent(key), context());
}

function chain(store: Store): Run {
  const handler = middy()
    .use(idempotency<any>({ store, scope: 'orders' }))
    .handler(async () => ({ ...RESPONSE }));
  return (key) => Promise.resolve(handler(httpEvent(key), context() as never, {} as never));
}

function storeOn(client: Client, cache?: false): Store {
  return dynamoDBStore({ client, tableName: TABLE, ...(cache === false && { cache }) });
}

const answering = clientOf(async () => ({}));

function refusingWith(Item: any): Client {
  return clientOf(async () => {
    throw new ConditionalCheckFailedException({ Item, message: '', $metadata: {} });
  });
}

function clientOf(send: (command: any) => Promise<unknown>): Client {
  return { send } as Client;
}

/** The record that a duplicate finds. */
function itemLeftBy(open: (store: Store) => Run): Promise<unknown> {
  return onEngine([TABLE], async (client) => {
    await open(storeOn(client))(KNOWN());
    return (await itemsOf(client, TABLE))[0];
  });
}

const WARM_UP = 50;
const TIMES = 100;

/** Of one invocation, once nothing is done for the first time. */
async function countsOf(of: string, run: Run, keys: () => string): Promise<Count[]> {
  const go = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) await run(keys());
  };
  await go(WARM_UP);
  const calls: Calls = await callsDuring(() => go(TIMES));
  return Object.entries(calls).map(([what, count]) => ({ of, what, count: Math.round(count / TIMES) }));
}
