import type { CfnResource } from 'aws-cdk-lib';
import { DEFAULT_RETENTION_MS, ENVIRONMENT } from '../src/environment.ts';
import { LAMBDA_TIMEOUT_S, type Properties, secondsIn, variablesOf } from './facts.ts';
import type { KafkaFacts } from './rules/kafka.ts';
import type { QueueFacts } from './rules/queue.ts';
import type { RetryFacts } from './rules/retries.ts';
import type { StreamFacts } from './rules/stream.ts';
import { isResource, numberIn, targetOf, templateOf } from './template.ts';

/** An event source mapping as CloudFormation will read it, and what it stands between. */
export interface Mapping {
  readonly properties: Properties;
  /** What it polls, if that is made in this app. */
  readonly source: CfnResource | undefined;
  /** The type of that, or its ARN. */
  readonly service: string;
  readonly consumer: Consumer;
}

interface Consumer {
  readonly timeout?: number;
  readonly reservedConcurrentExecutions?: number;
  readonly retention?: number;
  readonly toldOfPartialFailures?: string;
}

export function mappingOf(resource: CfnResource): Mapping {
  const { Properties: properties } = templateOf(resource);
  const { EventSourceArn, SelfManagedEventSource, Topics, FunctionName } = properties;
  const source = targetOf(EventSourceArn);
  // Nothing else has topics, whatever is known of its ARN.
  const service = SelfManagedEventSource || Topics ? KAFKA : (source?.cfnResourceType ?? String(EventSourceArn));
  return { properties, source, service, consumer: consumerOf(functionOf(FunctionName)) };
}

export const KAFKA = 'Kafka';

const FUNCTION = 'AWS::Lambda::Function';

/** The function that a mapping invokes, also by an alias or a version. */
export function functionOf(name: unknown): CfnResource | undefined {
  const target = targetOf(name);
  if (!target || isResource(target, FUNCTION)) return target;
  return functionOf(templateOf(target).Properties['FunctionName']);
}

function consumerOf(fn: CfnResource | undefined): Consumer {
  if (!fn) return {};
  const { Properties } = templateOf(fn);
  const variables = variablesOf(Properties);
  const isIdempotent = variables[ENVIRONMENT.table] !== undefined;
  const retention = variables[ENVIRONMENT.retention] ?? `${DEFAULT_RETENTION_MS / 1_000}s`;
  return {
    timeout: numberIn(Properties['Timeout'], LAMBDA_TIMEOUT_S),
    reservedConcurrentExecutions: numberIn(Properties['ReservedConcurrentExecutions']),
    ...(isIdempotent && {
      retention: secondsIn(retention),
      toldOfPartialFailures: textIn(variables[ENVIRONMENT.partialFailures]),
    }),
  };
}

function textIn(value: unknown = 'not set'): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function queueMapping({ properties, source, consumer }: Mapping): QueueFacts {
  const concurrency = properties['ScalingConfig']?.MaximumConcurrency;
  const isProvisioned = properties['ProvisionedPollerConfig'] !== undefined; // which has limits of its own
  return {
    ...consumer,
    ...queueFacts(source),
    batchSize: numberIn(properties['BatchSize'], 10),
    maxBatchingWindow: numberIn(properties['MaximumBatchingWindowInSeconds'], 0),
    maxConcurrency: concurrency === undefined && !isProvisioned ? 'not set' : numberIn(concurrency),
    reportBatchItemFailures: isReporting(properties),
  };
}

const FOUR_DAYS_S = 345_600;

/** What is known of a queue. */
export function queueFacts(queue: CfnResource | undefined): QueueFacts {
  if (!queue) return {};
  const { Properties } = templateOf(queue);
  const redrive = Properties['RedrivePolicy'];
  const dead = targetOf(redrive?.deadLetterTargetArn);
  return {
    fifo: Properties['FifoQueue'] === true,
    visibilityTimeout: numberIn(Properties['VisibilityTimeout'], 30),
    queueRetention: numberIn(Properties['MessageRetentionPeriod'], FOUR_DAYS_S),
    deadLetterQueue: redrive === undefined ? 'not set' : 'set',
    maxReceiveCount: numberIn(redrive?.maxReceiveCount),
    deadLetterRetention: dead && numberIn(templateOf(dead).Properties['MessageRetentionPeriod'], FOUR_DAYS_S),
  };
}

export const DAY_S = 86_400;

export function streamMapping(mapping: Mapping): StreamFacts {
  return {
    ...retryFacts(mapping),
    tumblingWindow: numberIn(mapping.properties['TumblingWindowInSeconds'], 0),
    sourceRetention: mapping.source ? streamRetention(mapping.source) : importedRetention(mapping.service),
  };
}

/** Of a table every stream keeps a record for a day; how long an imported one of Kinesis does, its owner knows. */
function importedRetention(arn: string): number | undefined {
  return /^arn:[^:]+:dynamodb:/.test(arn) ? DAY_S : undefined;
}

/** Seconds that a stream keeps a record; undefined: not known. */
export function streamRetention(source: CfnResource): number | undefined {
  if (!isResource(source, 'AWS::Kinesis::Stream')) return DAY_S;
  const hours = numberIn(templateOf(source).Properties['RetentionPeriodHours'], 24);
  return hours && hours * 3_600;
}

/** Retries of Lambda itself, where there is a destination for what it gives up. */
const KAFKA_RETRIES = 10;

export function kafkaMapping(mapping: Mapping): KafkaFacts {
  return {
    ...retryFacts(mapping, KAFKA_RETRIES),
    toldOfPartialFailures: mapping.consumer.toldOfPartialFailures,
    provisionedPollers: mapping.properties['ProvisionedPollerConfig'] === undefined ? 'not set' : 'set',
  };
}

function retryFacts({ properties, consumer }: Mapping, retriesByDefault = -1): RetryFacts {
  const { timeout, retention } = consumer;
  const destination = properties['DestinationConfig']?.OnFailure?.Destination;
  const isBisected: unknown = properties['BisectBatchOnFunctionError'] ?? false;
  return {
    timeout,
    retention,
    reportBatchItemFailures: isReporting(properties),
    bisectBatchOnError: typeof isBisected === 'boolean' ? isBisected : undefined,
    onFailure: destination === undefined ? 'not set' : 'set',
    retryAttempts: numberIn(properties['MaximumRetryAttempts'], destination === undefined ? -1 : retriesByDefault),
    maxRecordAge: numberIn(properties['MaximumRecordAgeInSeconds'], -1),
  };
}

function isReporting(properties: Properties): boolean | undefined {
  const reported: unknown = properties['FunctionResponseTypes'] ?? [];
  return Array.isArray(reported) ? reported.includes('ReportBatchItemFailures') : undefined;
}
