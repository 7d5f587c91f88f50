import { fileURLToPath } from 'node:url';
import { CfnOutput, Duration, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import { StartingPosition } from 'aws-cdk-lib/aws-lambda';
import {
  DynamoEventSource,
  KinesisEventSource,
  ManagedKafkaEventSource,
  SqsDlq,
} from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ENVIRONMENT } from '../src/environment.ts';
import { BUNDLING, tableOf } from './example-parts.ts';
import { IdempotencyTable, IdempotentFunction } from './index.ts';

export interface TripsStackProps extends StackProps {
  /**
   * An MSK cluster, and the topic of the trip events in it.
   * @default - no Kafka: trip events come over Kinesis alone
   */
  readonly kafka?: { readonly clusterArn: string; readonly topic: string };
}

/** The example of trips: one operation that consumes trip events from Kinesis and from Kafka, and totals from the trips' own stream. */
export class TripsStack extends Stack {
  readonly #table = new IdempotencyTable(this, 'Idempotency');
  readonly #trips = tableOf(this, 'TripsTable', 'tripId', { stream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES });
  readonly #ledger = tableOf(this, 'LedgerTable', 'tripId', {
    sortKey: { name: 'version', type: dynamodb.AttributeType.NUMBER },
  });
  readonly #rejected = tableOf(this, 'RejectedTable', 'place');
  readonly #totals = tableOf(this, 'TotalsTable', 'city');
  /** Where Lambda says which records it gave up. */
  readonly #givenUp = new SqsDlq(
    new sqs.Queue(this, 'GivenUp', {
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      retentionPeriod: Duration.days(14),
    }),
  );

  constructor(parent: Construct, id: string, { kafka, ...props }: TripsStackProps = {}) {
    super(parent, id, props);
    const stream = new kinesis.Stream(this, 'TripEvents', { encryption: kinesis.StreamEncryption.MANAGED });
    this.#consumer('FromKinesis').addEventSource(new KinesisEventSource(stream, this.#mapping()));
    if (kafka) {
      const fromKafka = this.#consumer('FromKafka', {
        [ENVIRONMENT.partialFailures]: 'true', // heard in provisioned mode alone
      });
      const provisionedPollerConfig = { minimumPollers: 1, maximumPollers: 4 };
      fromKafka.addEventSource(new ManagedKafkaEventSource({ ...kafka, ...this.#mapping(), provisionedPollerConfig }));
    }
    this.#tally().addEventSource(new DynamoEventSource(this.#trips, this.#mapping()));
    this.#acknowledge();
    new CfnOutput(this, 'StreamName', { value: stream.streamName });
    for (const [name, table] of Object.entries({
      Trips: this.#trips,
      Ledger: this.#ledger,
      Rejected: this.#rejected,
      Totals: this.#totals,
    })) {
      new CfnOutput(this, `${name}TableName`, { value: table.tableName });
    }
  }

  /** What all mappings share. Without bounds, one record that always fails would block its shard until it expires. */
  #mapping() {
    return {
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 100,
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: 100,
      onFailure: this.#givenUp,
    };
  }

  /** One scope for both, so that an event that comes over both is one. */
  #consumer(handler: 'FromKinesis' | 'FromKafka', environment: Record<string, string> = {}): IdempotentFunction {
    const consumer = new IdempotentFunction(this, handler, {
      ...this.#common('consume-trips'),
      handler: handler.replace('From', 'from'),
      scope: 'record-trip',
      environment: {
        ...environment,
        TRIPS_TABLE: this.#trips.tableName,
        LEDGER_TABLE: this.#ledger.tableName,
        REJECTED_TABLE: this.#rejected.tableName,
      },
    });
    this.#trips.grant(consumer, 'dynamodb:PutItem');
    this.#ledger.grant(consumer, 'dynamodb:UpdateItem');
    this.#rejected.grant(consumer, 'dynamodb:PutItem');
    return consumer;
  }

  #tally(): IdempotentFunction {
    const tally = new IdempotentFunction(this, 'TallyTrips', {
      ...this.#common('tally-trips'),
      scope: 'tally-trips',
      environment: { TOTALS_TABLE: this.#totals.tableName },
    });
    this.#totals.grant(tally, 'dynamodb:UpdateItem');
    return tally;
  }

  #common(file: string) {
    return {
      entry: fileURLToPath(new URL(`../examples/trips/${file}.ts`, import.meta.url)),
      table: this.#table,
      retention: Duration.days(8), // Kafka keeps a message for 7 days
      bundling: BUNDLING,
    };
  }

  #acknowledge(): void {
    Validations.of(this).acknowledge(
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
        reason: 'What CDK gives every function: it may write its logs, and nothing else.',
      },
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: 'A reader of a stream may list streams, which has no resource to name.',
      },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaMSKExecutionRole]',
        reason: 'What CDK gives a function that reads from MSK: AWS keeps it.',
      },
      { id: 'AwsSolutions-SQS3', reason: 'This is the queue for what was given up.' },
    );
  }
}
