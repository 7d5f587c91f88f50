import { fileURLToPath } from 'node:url';
import { CfnOutput, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { Architecture, Runtime, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { BUNDLING, tableOf } from './example-parts.ts';
import {
  CORS_ALLOW_HEADERS,
  CORS_EXPOSE_HEADERS,
  IdempotencyMonitoring,
  IdempotencyTable,
  IdempotentFunction,
  IdempotentQueueConsumer,
} from './index.ts';

const PAGE_BUNDLER = fileURLToPath(new URL('orders-page.ts', import.meta.url));

/** The example shop: a page at `GET /`, `POST /orders` and `GET /orders/{id}`, an outbox, an order queue, and the function that charges. */
export class OrdersStack extends Stack {
  constructor(parent: Construct, id: string, props?: StackProps) {
    super(parent, id, props);
    const table = new IdempotencyTable(this, 'Idempotency');
    const orders = tableOf(this, 'OrdersTable', 'orderId');
    const outbox = tableOf(this, 'OutboxTable', 'orderId', {
      stream: dynamodb.StreamViewType.NEW_IMAGE,
      timeToLiveAttribute: 'expiresAt',
    });
    const ledger = tableOf(this, 'LedgerTable', 'orderId', { sortKey: 'chargeId' });

    const chargeOrder = new IdempotentQueueConsumer(this, 'ChargeOrder', {
      entry: entryOf('ChargeOrder'),
      table,
      scope: 'charge-order',
      environment: { LEDGER_TABLE: ledger.tableName },
      bundling: BUNDLING,
    });
    ledger.grant(chargeOrder.function, 'dynamodb:UpdateItem');

    const placeOrder = new IdempotentFunction(this, 'PlaceOrder', {
      entry: entryOf('PlaceOrder'),
      table,
      scope: 'place-order',
      environment: { ORDERS_TABLE: orders.tableName, OUTBOX_TABLE: outbox.tableName },
      bundling: BUNDLING,
    });
    orders.grant(placeOrder, 'dynamodb:PutItem');
    outbox.grant(placeOrder, 'dynamodb:PutItem');

    // These two need no idempotency: an ordinary function each.
    const relayOrders = functionOf(this, 'RelayOrders', { ORDER_QUEUE_URL: chargeOrder.queue.queueUrl });
    relayOrders.addEventSource(
      new DynamoEventSource(outbox, { startingPosition: StartingPosition.TRIM_HORIZON, batchSize: 10 }),
    );
    chargeOrder.queue.grantSendMessages(relayOrders);
    const getOrder = functionOf(this, 'GetOrder', { ORDERS_TABLE: orders.tableName });
    orders.grant(getOrder, 'dynamodb:GetItem');
    const showShop = functionOf(this, 'ShowShop', { PAGE: 'page.html' }, WITH_PAGE);

    const topic = new sns.Topic(this, 'Alarms', { enforceSSL: true });
    new IdempotencyMonitoring(this, 'Monitoring', { table, functions: [placeOrder, chargeOrder], topic });

    const api = new apigateway.HttpApi(this, 'Api', {
      createDefaultStage: false,
      // The API's own, since what is committed is final: no middleware adds a header to it.
      corsPreflight: {
        allowOrigins: ['*'],
        allowMethods: [apigateway.CorsHttpMethod.GET, apigateway.CorsHttpMethod.POST],
        allowHeaders: [...CORS_ALLOW_HEADERS],
        exposeHeaders: [...CORS_EXPOSE_HEADERS],
      },
    });
    const accessLog = new LogGroup(this, 'AccessLog', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    api.addStage('DefaultStage', {
      autoDeploy: true,
      accessLogSettings: { destination: new apigateway.LogGroupLogDestination(accessLog) },
    });
    api.addRoutes({
      path: '/',
      methods: [apigateway.HttpMethod.GET],
      integration: new HttpLambdaIntegration('ShowShop', showShop),
    });
    api.addRoutes({
      path: '/orders',
      methods: [apigateway.HttpMethod.POST],
      integration: new HttpLambdaIntegration('PlaceOrder', placeOrder),
    });
    api.addRoutes({
      path: '/orders/{id}',
      methods: [apigateway.HttpMethod.GET],
      integration: new HttpLambdaIntegration('GetOrder', getOrder),
    });
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions-APIG4',
        reason: 'The example has no users. Where there are, their authorizer names the principal.',
      },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
        reason: 'What CDK gives every function: it may write its logs, and nothing else.',
      },
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: 'A reader of a stream may list streams, which has no resource to name.',
      },
    );
    new CfnOutput(this, 'ApiUrl', { value: api.apiEndpoint });
    new CfnOutput(this, 'QueueUrl', { value: chargeOrder.queue.queueUrl });
    new CfnOutput(this, 'LedgerTableName', { value: ledger.tableName });
  }
}

function functionOf(
  parent: Construct,
  id: string,
  environment: Record<string, string>,
  bundling?: BundlingOptions,
): NodejsFunction {
  return new NodejsFunction(parent, id, {
    entry: entryOf(id),
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    environment,
    bundling: { ...BUNDLING, bundleAwsSDK: true, minify: true, keepNames: true, ...bundling },
  });
}

/** Puts the page beside the function that shows it. */
const WITH_PAGE: BundlingOptions = {
  format: OutputFormat.ESM,
  commandHooks: {
    beforeInstall: () => [],
    beforeBundling: () => [],
    afterBundling: (_, output) => [`"${process.execPath}" "${PAGE_BUNDLER}" "${output}/page.html"`],
  },
};

/** `PlaceOrder` is in `place-order.ts`. */
function entryOf(id: string): string {
  const file = id.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  return fileURLToPath(new URL(`../examples/orders/${file}.ts`, import.meta.url));
}
