import { Duration, Stack } from 'aws-cdk-lib';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import {
  IdempotencyTable,
  IdempotentKafkaConsumer,
  IdempotentQueueConsumer,
  IdempotentStreamConsumer,
} from 'effectively-once/cdk';

export class ConsumersStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const table = new IdempotencyTable(this, 'Idempotency');
    new IdempotentQueueConsumer(this, 'Orders', {
      entry: 'src/orders.ts',
      table,
      scope: 'orders',
      queue: new sqs.Queue(this, 'Queue', {
        visibilityTimeout: Duration.minutes(3), // 6 timeouts of 30 s
        deadLetterQueue: { queue: new sqs.Queue(this, 'DeadLetters'), maxReceiveCount: 5 },
      }),
      sendsDeadLetters: true, // IDEMPOTENCY_DEAD_LETTER_QUEUE_URL, for sqsRedelivery
    });
    new IdempotentStreamConsumer(this, 'Trips', {
      entry: 'src/trips.ts',
      table,
      scope: 'trips',
      stream: new kinesis.Stream(this, 'Stream'), // or a DynamoDB table that has a stream
      provisionedConcurrentExecutions: 2,
    });
    new IdempotentKafkaConsumer(this, 'Rides', {
      entry: 'src/rides.ts',
      table,
      scope: 'rides',
      cluster: { bootstrapServers: ['broker.example.com:9092'] }, // or { clusterArn } of MSK
      secret: new secretsmanager.Secret(this, 'Credentials'),
      topic: 'rides',
      topicRetention: Duration.days(3),
    });
  }
}
