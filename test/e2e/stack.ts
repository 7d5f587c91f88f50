import { fileURLToPath } from 'node:url';
import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import {
  IdempotencyTable,
  IdempotentFunction,
  IdempotentQueueConsumer,
  type IdempotentQueueConsumerProps,
  IdempotentStreamConsumer,
} from '../../lib/index.ts';

/** Short, since a queue hides a message for six of them. */
export const TIMEOUT = Duration.seconds(3);

/** Long enough for a duplicate to come while the lease of a crashed run lasts. */
export const REDELIVERY_TIMEOUT = Duration.seconds(6);

/** The constructs with handlers that crash, hang or fail on command: a way in by HTTP, five by queues, one by a stream. */
export class FaultyStack extends Stack {
  readonly #table = new IdempotencyTable(this, 'Idempotency', { removalPolicy: RemovalPolicy.DESTROY });
  readonly #ledger = new dynamodb.Table(this, 'Ledger', {
    partitionKey: { name: 'orderId', type: dynamodb.AttributeType.STRING },
    sortKey: { name: 'effectId', type: dynamodb.AttributeType.STRING },
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    removalPolicy: RemovalPolicy.DESTROY,
  });

  constructor(parent: Construct, id: string) {
    super(parent, id);
    this.#addApi();
    this.#addConsumer('Jobs');
    this.#addConsumer('Poison'); // a queue of its own, since it takes so long
    this.#addConsumer('Fifo', { fifo: true });
    // One message for an invocation, so that none fails with another.
    const alone = { entry: entryOf('redelivery'), timeout: REDELIVERY_TIMEOUT, batchSize: 1 };
    this.#addConsumer('WithRedelivery', { ...alone, sendsDeadLetters: true });
    this.#addConsumer('WithoutRedelivery', alone);
    this.#addStream();
    new CfnOutput(this, 'RecordsTableName', { value: this.#table.tableName });
    new CfnOutput(this, 'LedgerTableName', { value: this.#ledger.tableName });
  }

  #addApi(): void {
    const jobs = new IdempotentFunction(this, 'Http', { scope: 'http', ...this.#common('http') });
    this.#ledger.grant(jobs, 'dynamodb:UpdateItem');
    const who = new NodejsFunction(this, 'Who', {
      entry: entryOf('authorizer'),
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
    });
    const authorizer = new HttpLambdaAuthorizer('Authorizer', who, { responseTypes: [HttpLambdaResponseType.SIMPLE] });
    const api = new apigateway.HttpApi(this, 'Api');
    const integration = new HttpLambdaIntegration('Jobs', jobs);
    api.addRoutes({ path: '/jobs', methods: [apigateway.HttpMethod.POST], integration, authorizer });
    new CfnOutput(this, 'ApiUrl', { value: api.apiEndpoint });
  }

  #addConsumer(name: string, props: Partial<IdempotentQueueConsumerProps> = {}): void {
    const consumer = new IdempotentQueueConsumer(this, name, {
      scope: name.toLowerCase(),
      ...this.#common('queue'),
      ...props,
    });
    this.#ledger.grant(consumer.function, 'dynamodb:UpdateItem');
    new CfnOutput(this, `${name}QueueUrl`, { value: consumer.queue.queueUrl });
    new CfnOutput(this, `${name}DeadLetterQueueUrl`, { value: consumer.deadLetterQueue.queueUrl });
  }

  #addStream(): void {
    const stream = new kinesis.Stream(this, 'Stream', { streamMode: kinesis.StreamMode.PROVISIONED, shardCount: 1 });
    const consumer = new IdempotentStreamConsumer(this, 'OfStream', {
      stream,
      scope: 'stream',
      ...this.#common('stream'),
    });
    this.#ledger.grant(consumer.function, 'dynamodb:UpdateItem');
    new CfnOutput(this, 'StreamName', { value: stream.streamName });
  }

  #common(handler: string) {
    return {
      entry: entryOf(handler),
      table: this.#table,
      timeout: TIMEOUT,
      environment: { LEDGER_TABLE: this.#ledger.tableName },
      bundling: { esbuildArgs: { '--conditions': 'effectively-once-source,module' } },
    };
  }
}

function entryOf(handler: string): string {
  return fileURLToPath(new URL(`handlers/${handler}.ts`, import.meta.url));
}
