import { fileURLToPath } from 'node:url';
import { CfnOutput, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import type { Construct } from 'constructs';
import { BUNDLING, tableOf } from './example-parts.ts';
import {
  IdempotencyTable,
  type IdempotentFunction,
  IdempotentKafkaConsumer,
  IdempotentStreamConsumer,
} from './index.ts';

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

  constructor(parent: Construct, id: string, { kafka, ...props }: TripsStackProps = {}) {
    super(parent, id, props);
    const stream = new kinesis.Stream(this, 'TripEvents', { encryption: kinesis.StreamEncryption.MANAGED });
    this.#grantTrips(new IdempotentStreamConsumer(this, 'FromKinesis', { stream, ...this.#recording('fromKinesis') }));
    if (kafka) {
      const { topic, ...cluster } = kafka;
      const provisionedPollerConfig = { minimumPollers: 1, maximumPollers: 4 };
      const polling = { cluster, topic, consumerGroupId: 'record-trip', provisionedPollerConfig };
      this.#grantTrips(new IdempotentKafkaConsumer(this, 'FromKafka', { ...polling, ...this.#recording('fromKafka') }));
    }
    const tally = new IdempotentStreamConsumer(this, 'TallyTrips', {
      ...this.#common('tally-trips'),
      stream: this.#trips,
      scope: 'tally-trips',
      environment: { TOTALS_TABLE: this.#totals.tableName },
    });
    this.#totals.grant(tally.function, 'dynamodb:UpdateItem');
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

  /** One scope for both, so that an event that comes over both is one. */
  #recording(handler: 'fromKinesis' | 'fromKafka') {
    return {
      ...this.#common('consume-trips'),
      handler,
      scope: 'record-trip',
      environment: {
        TRIPS_TABLE: this.#trips.tableName,
        LEDGER_TABLE: this.#ledger.tableName,
        REJECTED_TABLE: this.#rejected.tableName,
      },
    };
  }

  #grantTrips({ function: consumer }: { readonly function: IdempotentFunction }): void {
    this.#trips.grant(consumer, 'dynamodb:PutItem');
    this.#ledger.grant(consumer, 'dynamodb:UpdateItem');
    this.#rejected.grant(consumer, 'dynamodb:PutItem');
  }

  #common(file: string) {
    return {
      entry: fileURLToPath(new URL(`../examples/trips/${file}.ts`, import.meta.url)),
      table: this.#table,
      batchSize: 100,
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
    );
  }
}
