// What a user's project with the packed tarball compiles and runs.
import middy from '@middy/core';
import { App, Stack } from 'aws-cdk-lib';
import { Stream } from 'aws-cdk-lib/aws-kinesis';
import type { APIGatewayProxyEventV2, APIGatewayProxyResultV2, Context } from 'aws-lambda';
import { idempotent, idempotentBatch, memoryStore, runOnce } from 'effectively-once';
import {
  IdempotencyMonitoring,
  IdempotencyTable,
  IdempotentFunction,
  IdempotentKafkaConsumer,
  IdempotentQueueConsumer,
  IdempotentStreamConsumer,
} from 'effectively-once/cdk';
import { intent, retryInfo, retrying } from 'effectively-once/client';
import { idempotency } from 'effectively-once/middy';
import { emf } from 'effectively-once/observe';
import { recordId } from 'effectively-once/operator';
import { explore } from 'effectively-once/testing';

const store = memoryStore();
const context = { getRemainingTimeInMillis: () => 1_000 } as Context;

const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
  .use(idempotency({ store, scope: 's', key: () => 'k' }))
  .handler(async (_, { idempotency }) => ({ statusCode: 200, body: String(idempotency.attempt) }));
const event = { requestContext: { http: { method: 'POST' } }, headers: {} } as APIGatewayProxyEventV2;
const answers: APIGatewayProxyResultV2[] = [await handler(event, context), await handler(event, context)];

const written: string[] = [];
const { log } = console;
console.log = (line: string) => void written.push(line);
const stop = emf();
const value: number = await runOnce({ store, scope: 'r', key: 'k', lease: '1s' }, () => 7);
stop();
console.log = log;
idempotent(async (order: { id: string }) => order.id, { store, key: (order) => order.id });
idempotentBatch(async (record) => record.body, { store });

const { isSafe, doubles } = await explore(
  ({ store, effects }) =>
    idempotent(async (order: { id: string }) => effects.charge(order.id), { store, scope: 's', key: ({ id }) => id }),
  { event: { id: 'o-1' }, effects: { charge: (id: string) => id } },
);

const send = retrying(async () => new Response('', { status: 200 }), { origins: ['https://api.example.com'] });
const sent = await send('https://api.example.com/orders', { method: 'POST', body: '{}' });
const checkout = intent('checkout', { storage: { getItem: () => null, setItem: () => {}, removeItem: () => {} } });
const isKeyed: boolean = await checkout.send({ item: 'book' }, async (key) => key !== retryInfo(sent).key);

export const refused = [
  // @ts-expect-error types arrive, too
  () => idempotent(async () => 1, { store, retention: '5 parsecs' }),
  // @ts-expect-error those of the constructs as well
  () => new IdempotencyTable(stack, 'Refused', { ttl: 5 }),
];

const app = new App({ outdir: 'cdk.out' });
const stack = new Stack(app, 'Stack');
const table = new IdempotencyTable(stack, 'Table');
const entry = 'handler.ts';
const place = new IdempotentFunction(stack, 'Function', { entry, table, scope: 'f' });
const consume = new IdempotentQueueConsumer(stack, 'Consumer', { entry, table, scope: 'c' });
new IdempotencyMonitoring(stack, 'Monitoring', { functions: [place, consume], table });
place.metricDuplicatesStopped({ source: 'http' });
new IdempotentStreamConsumer(stack, 'Trips', { entry, table, scope: 't', stream: new Stream(stack, 'Stream') });
const cluster = { clusterArn: 'arn:aws:kafka:eu-west-1:000000000000:cluster/trips/0-1' };
new IdempotentKafkaConsumer(stack, 'Rides', { entry, table, scope: 'r', cluster, topic: 'rides' });
app.synth();

console.log(
  JSON.stringify({
    answers,
    value,
    runs: JSON.parse(String(written[0])).Runs,
    id: recordId({ scope: 's', key: 'k' }),
    isSafe,
    isKeyed,
    attempts: retryInfo(sent).attempts,
    points: doubles.map(({ point }) => point),
  }),
);
