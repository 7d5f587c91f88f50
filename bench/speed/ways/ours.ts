import middy from '@middy/core';
import {
  dynamoDBStore,
  type Execution,
  idempotent,
  idempotentBatch,
  type RunOnceOptions,
  runOnce,
  type Store,
} from 'effectively-once';
import { idempotency } from 'effectively-once/middy';
import { context, httpEvent, ORDER, sqsEvent } from '../../events.ts';
import { ORDERS } from '../engine.ts';
import { keysOf, type Setting, type Way } from './way.ts';

export const ours: Way = oursWith('effectively-once', {});

/** Each write in a request of its own. */
export const oneByOne: Way = onlyBatch(oursWith('effectively-once, one by one', { group: false }));

function onlyBatch({ name, doors }: Way): Way {
  return { name, doors: { 'batch of 10': doors['batch of 10'] as NonNullable<Way['doors']['batch of 10']> } };
}

function oursWith(name: string, store: object): Way {
  const storeOf = ({ client, table, cache }: Setting): Store =>
    dynamoDBStore({ client, tableName: table, ...cacheOf(cache), ...store });
  const options = (store: Store, key: string): RunOnceOptions => ({
    store,
    scope: 'orders',
    key,
    payload: ORDER,
    lease: '30s',
  });
  const commitOf =
    (key: string) =>
    ({ commit }: Execution) =>
      commit(ORDER, [{ Put: { TableName: ORDERS, Item: { id: `order-${key}`, total: 4200 } } }]);
  return {
    name,
    doors: {
      handler: (setting) => {
        const handler = idempotent(async () => setting.respond(), { store: storeOf(setting) });
        return (key) => handler(httpEvent(key, setting.body), context());
      },
      Middy: (setting) => {
        const handler = middy()
          .use(idempotency<any>({ store: storeOf(setting) }))
          .handler(async () => setting.respond());
        return (key) => Promise.resolve(handler(httpEvent(key, setting.body), context() as never, {} as never));
      },
      'batch of 10': (setting) => {
        const concurrency = setting.concurrency ? { concurrency: setting.concurrency } : {};
        const handler = idempotentBatch(async () => setting.work(), { store: storeOf(setting), ...concurrency });
        return (key) => handler(sqsEvent(keysOf(key, setting)), context());
      },
      runOnce: (setting) => {
        const store = storeOf(setting);
        return (key) => runOnce(options(store, key), () => setting.work());
      },
      commit: (setting) => {
        const store = storeOf(setting);
        return (key) => runOnce(options(store, key), commitOf(key));
      },
      atomic: (setting) => {
        const store = storeOf(setting);
        return (key) => runOnce({ ...options(store, key), mode: 'atomic' }, commitOf(key));
      },
    },
  };
}

function cacheOf(cache: boolean | undefined): { cache?: false | number } {
  if (cache === undefined) return {};
  return { cache: cache && 256 * 1024 * 1024 };
}
