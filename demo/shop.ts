import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CreateTableCommand, DeleteTableCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { ordersPage } from '../lib/orders-page.ts';
import { clientOf, LOCAL, startDynamoDB } from '../local/dynamodb.ts';
import { type EventSourceMapping, startEventSourceMapping } from '../local/event-source-mapping.ts';
import { type HttpApi, startHttpApi } from '../local/http-api.ts';
import { type LocalFunction, startFunction } from '../local/lambda.ts';
import { sqsClientOf, startSqs } from '../local/sqs.ts';
import { startStreamMapping } from '../local/stream-mapping.ts';
import { schemaOf, synthesize } from '../local/template.ts';
import { ENVIRONMENT } from '../src/environment.ts';

/** The example shop on this machine: the synthesized stack, with its times shortened so that nobody has to wait. */
export interface Shop {
  readonly api: HttpApi;
  readonly placeOrder: LocalFunction;
  readonly chargeOrder: LocalFunction;
  /** Where its functions find DynamoDB. */
  readonly dynamodb: string;
  readonly mapping: EventSourceMapping;
  /** Handler runs and record deliveries so far. */
  readonly counts: { readonly runs: number; readonly deliveries: number };
  readonly hasOrder: (orderId: string) => Promise<boolean>;
  /** Of all orders that there are. */
  readonly orderIds: () => Promise<string[]>;
  /** Charges in the ledger. */
  readonly charges: (orderId: string) => Promise<number>;
  /** How often the payment provider was asked for them. */
  readonly chargeRequests: (orderId: string) => Promise<number>;
  readonly send: (body: string) => Promise<void>;
  /** Bodies in the dead-letter queue. */
  readonly deadLetters: () => Promise<string[]>;
  readonly stop: () => Promise<void>;
}

const TIMEOUT_MS = 2_000;
const VISIBILITY_TIMEOUT_S = 1;

export async function openShop(port?: number): Promise<Shop> {
  const stops: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const undo of stops.splice(0).reverse()) await undo();
  };
  try {
    return await assemble(stops, stop, port);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(stops: (() => unknown)[], stop: () => Promise<void>, port?: number): Promise<Shop> {
  const template = synthesize();
  const counts = { runs: 0, deliveries: 0 };

  const dynamodb = await startDynamoDB();
  stops.push(dynamodb.stop);
  const client = clientOf(dynamodb);
  stops.push(() => client.destroy());
  // Names of this run's own: DYNAMODB_ENDPOINT may name an engine that outlives it.
  const run = randomUUID();
  const nameOf = (id: string): string => `${id}-${run}`;
  const streamArns: string[] = [];
  for (const id of template.idsOf('AWS::DynamoDB::Table')) {
    const TableName = nameOf(id);
    const properties = template.properties(id);
    const { TableDescription } = await client.send(new CreateTableCommand({ TableName, ...schemaOf(properties) }));
    if (TableDescription?.LatestStreamArn) streamArns.push(TableDescription.LatestStreamArn);
    stops.push(() => client.send(new DeleteTableCommand({ TableName })).catch(() => {}));
    const { TimeToLiveSpecification } = properties;
    if (TimeToLiveSpecification) await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  }

  const queues = await startSqs();
  stops.push(queues.stop);
  const sqs = sqsClientOf(queues);
  stops.push(() => sqs.destroy());
  const urls = new Map<string, string>();
  const byDependency = template.idsOf('AWS::SQS::Queue').sort((a, b) => Number(isConsumed(a)) - Number(isConsumed(b)));
  function isConsumed(id: string): boolean {
    return template.properties(id)['RedrivePolicy'] !== undefined;
  }
  for (const QueueName of byDependency) {
    const { RedrivePolicy: redrive } = template.properties(QueueName);
    const policy = redrive && {
      ...redrive,
      deadLetterTargetArn: await arnOf(redrive.deadLetterTargetArn['Fn::GetAtt'][0]),
    };
    const Attributes = policy && {
      VisibilityTimeout: `${VISIBILITY_TIMEOUT_S}`,
      RedrivePolicy: JSON.stringify(policy),
    };
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    // The host it names, sqs.<region>.localhost, is not known to every resolver.
    urls.set(QueueName, new URL(new URL(QueueUrl ?? '').pathname, queues.endpoint).href);
  }
  async function arnOf(id: string): Promise<string> {
    const QueueUrl = urls.get(id);
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    return Attributes?.['QueueArn'] ?? '';
  }
  const [deadLetterQueueUrl, queueUrl] = byDependency.map((id) => urls.get(id) ?? '');

  const directory = mkdtempSync(join(tmpdir(), 'effectively-once-page-'));
  stops.push(() => rmSync(directory, { recursive: true }));
  const page = join(directory, 'page.html');
  writeFileSync(page, ordersPage());

  const start = (prefix: string, file: string, more: Record<string, string> = {}): LocalFunction => {
    const id = template.idsOf('AWS::Lambda::Function').find((logicalId) => logicalId.startsWith(prefix)) ?? '';
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = LOCAL.credentials;
    const lambda = startFunction({
      name: prefix,
      entry: new URL(`../examples/orders/${file}`, import.meta.url),
      environment: {
        ...template.environment(id, (logicalId) => urls.get(logicalId) ?? nameOf(logicalId)),
        [ENVIRONMENT.metrics]: '', // they go to the log, which is the terminal here
        AWS_REGION: LOCAL.region,
        AWS_ACCESS_KEY_ID,
        AWS_SECRET_ACCESS_KEY,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodb.endpoint,
        AWS_ENDPOINT_URL_SQS: queues.endpoint,
        ...more,
      },
      timeoutMs: TIMEOUT_MS,
      concurrency: 3,
      onEvent: ({ type }) => {
        if (type === 'started') counts.runs++;
      },
    });
    stops.push(lambda.stop);
    return lambda;
  };
  const placeOrder = start('PlaceOrder', 'place-order.ts');
  const getOrder = start('GetOrder', 'get-order.ts');
  const showShop = start('ShowShop', 'show-shop.ts', { PAGE: pathToFileURL(page).href });
  const chargeOrder = start('ChargeOrder', 'charge-order.ts');
  const relayOrders = start('RelayOrders', 'relay-orders.ts');

  const streams = new DynamoDBStreamsClient({ ...LOCAL, endpoint: dynamodb.endpoint });
  stops.push(() => streams.destroy());
  for (const streamArn of streamArns) {
    const relay = startStreamMapping({ streams, streamArn, batchSize: 10, invoke: relayOrders.invoke });
    stops.push(relay.stop);
  }

  const mapping = startEventSourceMapping({
    sqs,
    queueUrl: queueUrl ?? '',
    batchSize: 10,
    invoke: (event) => {
      counts.deliveries += event.Records.length;
      return chargeOrder.invoke(event);
    },
  });
  stops.push(mapping.stop);
  const counted = (event: unknown): Promise<unknown> => {
    counts.deliveries++;
    return placeOrder.invoke(event);
  };
  const routes = { 'GET /': showShop.invoke, 'POST /orders': counted, 'GET /orders/{id}': getOrder.invoke };
  const api = await startHttpApi(routes, port, port === undefined ? '' : '\n');
  stops.push(api.stop);

  const documents = DynamoDBDocumentClient.from(client);
  const tableOf = (prefix: string): string =>
    nameOf(template.idsOf('AWS::DynamoDB::Table').find((id) => id.startsWith(prefix)) ?? '');
  const ledgerOf = async (orderId: string) => {
    const { Items = [] } = await documents.send(
      new QueryCommand({
        TableName: tableOf('LedgerTable'),
        KeyConditionExpression: 'orderId = :orderId',
        ExpressionAttributeValues: { ':orderId': orderId },
        ConsistentRead: true,
      }),
    );
    return Items;
  };
  return {
    api,
    placeOrder,
    chargeOrder,
    dynamodb: dynamodb.endpoint,
    mapping,
    counts,
    hasOrder: async (orderId) => {
      const { Item } = await documents.send(new GetCommand({ TableName: tableOf('OrdersTable'), Key: { orderId } }));
      return Item !== undefined;
    },
    orderIds: async () => {
      const { Items = [] } = await documents.send(
        new ScanCommand({ TableName: tableOf('OrdersTable'), ConsistentRead: true }),
      );
      return Items.map(({ orderId }) => orderId);
    },
    charges: async (orderId) => (await ledgerOf(orderId)).length,
    chargeRequests: async (orderId) => (await ledgerOf(orderId)).reduce((sum, { requests }) => sum + requests, 0),
    send: async (MessageBody) => {
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
    },
    deadLetters: async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: deadLetterQueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      );
      return Messages.map(({ Body }) => Body ?? '');
    },
    stop,
  };
}
