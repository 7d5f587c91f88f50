import { fileURLToPath } from 'node:url';
import { CfnOutput, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { IdempotencyTable, IdempotentFunction, IdempotentQueueConsumer } from './index.ts';

/** The example shop: `POST /orders` and `GET /orders/{id}`, an order queue, and the function that charges. */
export class OrdersStack extends Stack {
  constructor(parent: Construct, id: string, props?: StackProps) {
    super(parent, id, props);
    const table = new IdempotencyTable(this, 'Idempotency');
    const orders = tableOf(this, 'OrdersTable', 'orderId');
    const ledger = tableOf(this, 'LedgerTable', 'orderId', 'chargeId');

    const chargeOrder = new IdempotentQueueConsumer(this, 'ChargeOrder', {
      entry: entryOf('charge-order'),
      table,
      scope: 'charge-order',
      environment: { LEDGER_TABLE: ledger.tableName },
      bundling: BUNDLING,
    });
    ledger.grant(chargeOrder.function, 'dynamodb:PutItem');

    const placeOrder = new IdempotentFunction(this, 'PlaceOrder', {
      entry: entryOf('place-order'),
      table,
      scope: 'place-order',
      environment: { ORDERS_TABLE: orders.tableName, ORDER_QUEUE_URL: chargeOrder.queue.queueUrl },
      bundling: BUNDLING,
    });
    orders.grant(placeOrder, 'dynamodb:PutItem');
    chargeOrder.queue.grantSendMessages(placeOrder);

    // Idempotent by nature: an ordinary function.
    const getOrder = new NodejsFunction(this, 'GetOrder', {
      entry: entryOf('get-order'),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      environment: { ORDERS_TABLE: orders.tableName },
      bundling: { ...BUNDLING, bundleAwsSDK: true },
    });
    orders.grant(getOrder, 'dynamodb:GetItem');

    const api = new apigateway.HttpApi(this, 'Api', { createDefaultStage: false });
    const accessLog = new LogGroup(this, 'AccessLog', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    api.addStage('DefaultStage', {
      autoDeploy: true,
      accessLogSettings: { destination: new apigateway.LogGroupLogDestination(accessLog) },
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
    );
    new CfnOutput(this, 'ApiUrl', { value: api.apiEndpoint });
    new CfnOutput(this, 'QueueUrl', { value: chargeOrder.queue.queueUrl });
    new CfnOutput(this, 'LedgerTableName', { value: ledger.tableName });
  }
}

// The handlers import the package by its name, and a fresh clone has no build of it.
const BUNDLING = { esbuildArgs: { '--conditions': 'effectively-once-source,module' } };

function entryOf(name: string): string {
  return fileURLToPath(new URL(`../examples/orders/${name}.ts`, import.meta.url));
}

function tableOf(parent: Construct, id: string, partitionKey: string, sortKey?: string): dynamodb.Table {
  const key = (name: string): dynamodb.Attribute => ({ name, type: dynamodb.AttributeType.STRING });
  return new dynamodb.Table(parent, id, {
    partitionKey: key(partitionKey),
    sortKey: sortKey === undefined ? undefined : key(sortKey),
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    removalPolicy: RemovalPolicy.DESTROY,
  });
}
