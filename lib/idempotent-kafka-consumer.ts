import { Duration, Fn } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import {
  type KafkaEventSourceProps,
  ManagedKafkaEventSource,
  type ManagedKafkaEventSourceProps,
  type ProvisionedPollerConfig,
  SelfManagedKafkaEventSource,
  type SelfManagedKafkaEventSourceProps,
} from 'aws-cdk-lib/aws-lambda-event-sources';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../src/environment.ts';
import { checkProps, consumerOf, mapped, secondsOf } from './consumer.ts';
import { measured } from './idempotency-metrics.ts';
import type { IdempotentFunction } from './idempotent-function.ts';
import { deadLettersIn, onFailureOf, type RetryingConsumerProps, retryFactsOf } from './retries.ts';
import { KAFKA_RULES } from './rules/kafka.ts';
import { expectKept } from './rules/rule.ts';

/** A cluster of MSK. */
export type ManagedKafkaCluster = Pick<ManagedKafkaEventSourceProps, 'clusterArn'>;

/** A cluster of your own; the VPC is the one in which its brokers are reached. */
export type SelfManagedKafkaCluster = Pick<
  SelfManagedKafkaEventSourceProps,
  'bootstrapServers' | 'authenticationMethod' | 'rootCACertificate' | 'vpc' | 'vpcSubnets' | 'securityGroup'
>;

export interface IdempotentKafkaConsumerProps extends RetryingConsumerProps {
  /** `{ clusterArn }` of MSK, or `{ bootstrapServers }` of a cluster of your own. */
  readonly cluster: ManagedKafkaCluster | SelfManagedKafkaCluster;
  readonly topic: string;
  /**
   * How long the topic keeps a record.
   * @default Duration.days(7) - as Kafka does
   */
  readonly topicRetention?: Duration;
  /**
   * The secret with the credentials of the cluster.
   * @default - none
   */
  readonly secret?: secretsmanager.ISecret;
  /**
   * The consumer group; a group of another name begins anew at `startingPosition`.
   * @default - Lambda makes one up
   */
  readonly consumerGroupId?: string;
  /**
   * The schema registry of the topic.
   * @default - none
   */
  readonly schemaRegistryConfig?: KafkaEventSourceProps['schemaRegistryConfig'];
  /**
   * How many pollers are provisioned. There are always some: without them Lambda hears nothing of failed records.
   * @default - 1 to 200
   */
  readonly provisionedPollerConfig?: ProvisionedPollerConfig;
}

/**
 * An `IdempotentFunction` that consumes a topic of Kafka with `idempotentBatch`: Lambda polls in provisioned mode, so only what is
 * not done comes again. Retries are bounded, and what Lambda gives up is told to a queue. A prop that would break it fails synthesis.
 *
 * @example
 * new IdempotentKafkaConsumer(this, 'Trips', {
 *   cluster: { clusterArn }, topic: 'trips', entry: 'src/trips.ts', table, scope: 'trips',
 * });
 */
export class IdempotentKafkaConsumer extends measured(Construct) {
  readonly function: IdempotentFunction;
  /** What the topic invokes, if it is not the function itself. */
  readonly alias?: lambda.Alias;
  readonly mapping: lambda.EventSourceMapping;
  /** What Lambda gave up; undefined if the prop `onFailure` says where. */
  readonly onFailureQueue?: sqs.Queue;

  constructor(scope: Construct, id: string, props: IdempotentKafkaConsumerProps) {
    super(scope, id);
    checkProps(props, { cluster: '`{ clusterArn }` or `{ bootstrapServers }`', topic: 'the name of a topic' });
    const { cluster, topic, topicRetention, secret, consumerGroupId, schemaRegistryConfig, ...rest } = props;
    const { provisionedPollerConfig, onFailure: _, encryptionKey, retryAttempts, maxRecordAge, ...others } = rest;
    const { startingPosition, startingPositionTimestamp, filters, filterEncryption, ...more } = others;
    const { batchSize, maxBatchingWindow, ...functionProps } = more;
    checkEnvironment(props.environment);
    const facts = retryFactsOf(props, secondsOf('topicRetention', topicRetention ?? TOPIC_RETENTION));
    expectKept(KAFKA_RULES, { ...facts, provisionedPollers: 'set', toldOfPartialFailures: TOLD });
    const { onFailure, queue } = onFailureOf(this, props);
    this.onFailureQueue = queue;
    const consumer = consumerOf(this, {
      ...functionProps,
      retention: Duration.seconds(facts.retention),
      environment: { ...props.environment, [ENVIRONMENT.partialFailures]: TOLD },
    });
    this.function = consumer.function;
    this.alias = consumer.alias;
    const from = { topic, secret, consumerGroupId, schemaRegistryConfig, startingPositionTimestamp };
    const polling = { ...from, batchSize, maxBatchingWindow, filters, filterEncryption, onFailure };
    const source = sourceOf(cluster, {
      ...polling,
      startingPosition: startingPosition ?? lambda.StartingPosition.TRIM_HORIZON,
      provisionedPollerConfig: {
        ...provisionedPollerConfig,
        minimumPollers: provisionedPollerConfig?.minimumPollers ?? 1,
      },
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: facts.retryAttempts,
      maxRecordAge: Duration.seconds(facts.maxRecordAge),
    });
    grantPolling(consumer.function, props);
    this.mapping = mapped(consumer, source);
  }

  /** Records of the topic that are behind the last one that was processed. */
  metricOffsetLag(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.function.metric('OffsetLag', { statistic: 'Maximum', ...options });
  }

  /** Messages of what Lambda gave up. Throws if the prop `onFailure` says where they go. */
  metricDeadLetters(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return deadLettersIn(this.onFailureQueue, options);
  }
}

/** What CDK does not grant. https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-permissions.html, and msk-permissions.html there */
function grantPolling(
  consumer: IdempotentFunction,
  { cluster, secret, topic, consumerGroupId = '*' }: IdempotentKafkaConsumerProps,
): void {
  const grant = (actions: string[], ...resources: string[]): void =>
    consumer.addToRolePolicy(new iam.PolicyStatement({ actions, resources }));
  if (!('clusterArn' in cluster)) {
    cluster.rootCACertificate?.grantRead(consumer);
    if (cluster.vpc) grant(NETWORK, '*');
    return;
  }
  if (secret) return; // by which the poller makes itself known
  const { clusterArn } = cluster;
  const within = (kind: string, name: string) => `${Fn.join(`:${kind}/`, Fn.split(':cluster/', clusterArn))}/${name}`;
  grant(['kafka-cluster:Connect', 'kafka-cluster:DescribeClusterDynamicConfiguration'], clusterArn);
  grant(['kafka-cluster:DescribeTopic', 'kafka-cluster:ReadData'], within('topic', topic));
  grant(['kafka-cluster:DescribeGroup', 'kafka-cluster:AlterGroup'], within('group', consumerGroupId));
}

const NETWORK = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeVpcs',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeSubnets',
  'ec2:DescribeSecurityGroups',
];

/** `log.retention.hours` of Kafka. */
const TOPIC_RETENTION = Duration.days(7);

const TOLD = 'true';

function sourceOf(cluster: IdempotentKafkaConsumerProps['cluster'], props: KafkaEventSourceProps) {
  const { clusterArn, bootstrapServers = [] } = cluster as Partial<ManagedKafkaCluster & SelfManagedKafkaCluster>;
  if (clusterArn !== undefined && bootstrapServers.length > 0) {
    throw new Error('`cluster` has `clusterArn` and `bootstrapServers`; expected one of them');
  }
  if (clusterArn !== undefined) return new ManagedKafkaEventSource({ ...props, clusterArn });
  if (bootstrapServers.length > 0) return new SelfManagedKafkaEventSource({ ...cluster, bootstrapServers, ...props });
  throw new Error('`cluster` has neither `clusterArn` nor `bootstrapServers`; expected one of them');
}

function checkEnvironment(environment: Readonly<Record<string, string>> = {}): void {
  const got = environment[ENVIRONMENT.partialFailures];
  if (got === undefined || got === TOLD) return;
  throw new Error(`\`environment\` has ${ENVIRONMENT.partialFailures}: ${JSON.stringify(got)}; expected "${TOLD}"`);
}
