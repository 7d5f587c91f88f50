import { fileURLToPath } from 'node:url';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  IdempotencyTable,
  IdempotentKafkaConsumer,
  IdempotentQueueConsumer,
  IdempotentStreamConsumer,
} from 'effectively-once/cdk';
import { beforeEach, expect, it } from 'vitest';
import { testApp } from '../engine.ts';

const entry = fileURLToPath(new URL('../../examples/readme/stream.ts', import.meta.url));
const MSK = { clusterArn: 'arn:aws:kafka:eu-west-1:000000000000:cluster/trips/0-1' };

let app: ReturnType<typeof testApp>;
let stack: Stack;
let common: { readonly entry: string; readonly table: IdempotencyTable; readonly scope: string };
beforeEach(() => {
  app = testApp();
  stack = new Stack(app, 'Stack');
  common = { entry, table: new IdempotencyTable(stack, 'Table'), scope: 's' };
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
});

/** One that is imported, so that what the pack says of streams is no matter here. */
const streamOf = () => ({
  stream: kinesis.Stream.fromStreamArn(stack, 'Stream', 'arn:aws:kinesis:eu-west-1:000000000000:stream/theirs'),
  streamRetention: Duration.days(1),
});

/** What CDK itself gives a function of each kind. */
const acknowledgeCdk = () =>
  Validations.of(stack).acknowledge(
    ...['AWSLambdaBasicExecutionRole', 'AWSLambdaMSKExecutionRole'].map((role) => ({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/${role}]`,
      reason: 'What CDK gives every function.',
    })),
    { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'Streams are listed without a resource to name.' },
  );

it('the consumers pass the AwsSolutions pack of cdk-nag, but for what CDK gives their functions', () => {
  new IdempotentQueueConsumer(stack, 'Queue', { ...common, sendsDeadLetters: true });
  new IdempotentStreamConsumer(stack, 'Kinesis', { ...common, ...streamOf() });
  const orders = new dynamodb.TableV2(stack, 'Orders', {
    partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
    dynamoStream: dynamodb.StreamViewType.NEW_IMAGE,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  });
  new IdempotentStreamConsumer(stack, 'Table stream', { ...common, stream: orders });
  new IdempotentKafkaConsumer(stack, 'Kafka', { ...common, cluster: MSK, topic: 'trips', consumerGroupId: 'trips' });
  acknowledgeCdk();
  expect(() => app.synth()).not.toThrow();
});

it('would not pass it with a queue of the same kind that nobody has acknowledged', () => {
  const onFailure = new SqsDlq(new sqs.Queue(stack, 'Mine', { enforceSSL: true }));
  new IdempotentStreamConsumer(stack, 'Kinesis', { ...common, ...streamOf(), onFailure });
  acknowledgeCdk();
  expect(() => app.synth()).toThrow(/AwsSolutions-SQS3/);
});
