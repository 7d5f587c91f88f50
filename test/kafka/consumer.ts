import { randomUUID } from 'node:crypto';
import { Consumer } from '@platformatic/kafka';
import type { Context } from 'aws-lambda';
import { fromKafka } from '../../examples/trips/consume-trips.ts';
import { type Delivery, poll } from './poller.ts';

/** What a consumer's process tells the one that started it. `checkpoint`: it waits until it hears this number again. */
export type Told =
  | ({ readonly kind: 'delivery' } & Delivery)
  | { readonly kind: 'checkpoint'; readonly number: number };

/** Where it reads, in `CONSUMER`. */
export interface ConsumerSettings {
  readonly bootstrapServer: string;
  readonly topic: string;
  readonly group: string;
  readonly batchSize: number;
  /** Of an invocation. */
  readonly timeoutMs: number;
}

const settings: ConsumerSettings = JSON.parse(process.env['CONSUMER'] ?? '');

function contextOf(deadline: number): Context {
  const context: Partial<Context> = {
    awsRequestId: randomUUID(),
    functionName: 'record-trip',
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  return context as Context;
}

const tell = (told: Told): unknown => process.send?.(told);

const checkpoints: (() => void)[] = [];
process.on('message', (number: number) => checkpoints[number]?.());
process.once('disconnect', () => process.exit(1)); // nobody is left to kill it
await poll({
  ...settings,
  bootstrapServers: settings.bootstrapServer,
  consumer: new Consumer({
    clientId: 'lambda',
    groupId: settings.group,
    bootstrapBrokers: [settings.bootstrapServer],
    autocommit: false,
    maxWaitTime: 200,
  }),
  invoke: (event) => fromKafka(event, contextOf(Date.now() + settings.timeoutMs)),
  delivered: (delivery) => tell({ kind: 'delivery', ...delivery }),
  beforeCheckpoint: () =>
    new Promise((resolve) => {
      checkpoints.push(resolve);
      tell({ kind: 'checkpoint', number: checkpoints.length - 1 });
    }),
});
