import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { type Duration, durationOf } from '../src/core/duration.ts';
import { DEFAULT_RETENTION_MS, ENVIRONMENT } from '../src/environment.ts';
import type { FunctionFacts } from './rules/function.ts';
import type { QueueFacts } from './rules/queue.ts';
import type { StreamFacts } from './rules/stream.ts';
import type { TableFacts } from './rules/table.ts';
import { isResource, numberIn, targetOf, templateOf } from './template.ts';

const TABLES = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'];
const FUNCTION = 'AWS::Lambda::Function';

type Properties = Readonly<Record<string, any>>;

/** The resource of a table that is made in this app, or of which it is a replica. */
export function tableResource(table: IConstruct): CfnResource | undefined {
  const owners = [table, table.node.defaultChild, table.node.scope?.node.defaultChild];
  return owners.find((owner): owner is CfnResource => owner !== undefined && isResource(owner, ...TABLES));
}

export function tableFacts(resource: CfnResource): TableFacts {
  const { Properties, DeletionPolicy = 'Delete' } = templateOf(resource);
  const { KeySchema, AttributeDefinitions, TimeToLiveSpecification: ttl } = Properties;
  const copies: readonly Properties[] = Properties['Replicas'] ?? [Properties];
  const all = (isTrue: (copy: Properties) => unknown): boolean => copies.every((copy) => isTrue(copy) !== false);
  return {
    key: keyOf(KeySchema, AttributeDefinitions),
    ttl: ttl?.Enabled === true || typeof ttl?.Enabled === 'object' ? nameIn(ttl.AttributeName) : 'not set',
    isStrong: Properties['MultiRegionConsistency'] === 'STRONG',
    regions: copies.length,
    isRecoverable: all((copy) => copy['PointInTimeRecoverySpecification']?.PointInTimeRecoveryEnabled ?? false),
    isProtected: all((copy) => copy['DeletionProtectionEnabled'] ?? false),
    removalPolicy: DeletionPolicy,
  };
}

const nameIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function keyOf(schema: unknown, attributes: unknown): string | undefined {
  if (!Array.isArray(schema) || !Array.isArray(attributes)) return undefined;
  const names = schema.map(({ AttributeName }) => nameIn(AttributeName));
  if (names.includes(undefined)) return undefined;
  const typeOf = (name?: string) => attributes.find(({ AttributeName }) => AttributeName === name)?.AttributeType;
  return names.map((name) => `${name} (${typeOf(name)})`).join(', ');
}

export function functionFacts(resource: CfnResource): FunctionFacts {
  const { Properties } = templateOf(resource);
  const variables = variablesOf(Properties);
  return {
    runtime: nameIn(Properties['Runtime']),
    timeout: numberIn(Properties['Timeout'], LAMBDA_TIMEOUT_S),
    functionTimeout: secondsIn(variables[ENVIRONMENT.functionTimeout]),
  };
}

/** The environment of a function. */
export function variablesOf(properties: Properties): Properties {
  return properties['Environment']?.Variables ?? {};
}

/** What Lambda gives a function that does not say. */
export const LAMBDA_TIMEOUT_S = 3;

/** `24h` of the environment; undefined: not known, or nonsense, which the runtime refuses. */
function secondsIn(value: unknown): number | undefined {
  const isDuration = typeof value === 'string' && /^\d+(ms|s|m|h|d)$/.test(value);
  return isDuration ? durationOf('environment', value as Duration) / 1_000 : undefined;
}

/** What a mapping polls. */
export type Mapping =
  | { readonly kind: 'queue'; readonly facts: QueueFacts }
  | { readonly kind: 'stream'; readonly facts: StreamFacts };

/** The facts of an event source mapping; undefined: nobody knows what it polls, or there are no rules for it. */
export function mappingFacts(resource: CfnResource): Mapping | undefined {
  const { Properties } = templateOf(resource);
  const source = targetOf(Properties['EventSourceArn']);
  const consumer = consumerFacts(functionOf(Properties['FunctionName']));
  const reported: unknown = Properties['FunctionResponseTypes'] ?? [];
  const reportBatchItemFailures = Array.isArray(reported) ? reported.includes('ReportBatchItemFailures') : undefined;
  const service = source?.cfnResourceType ?? String(Properties['EventSourceArn']);
  if (/^(AWS::SQS::Queue|arn:[^:]+:sqs:.*)$/.test(service)) {
    const facts = { ...consumer, ...pollingFacts(Properties), ...queueFacts(source), reportBatchItemFailures };
    return { kind: 'queue', facts };
  }
  if (!/^(AWS::Kinesis::Stream|AWS::DynamoDB::(Global)?Table|arn:[^:]+:(kinesis|dynamodb):.*)$/.test(service))
    return undefined;
  const { retention } = consumer;
  const tumblingWindow = numberIn(Properties['TumblingWindowInSeconds'], 0);
  return {
    kind: 'stream',
    facts: { retention, tumblingWindow, reportBatchItemFailures, streamRetention: streamRetention(source) },
  };
}

function pollingFacts(properties: Properties): QueueFacts {
  const concurrency = properties['ScalingConfig']?.MaximumConcurrency;
  return {
    batchSize: numberIn(properties['BatchSize'], 10),
    maxBatchingWindow: numberIn(properties['MaximumBatchingWindowInSeconds'], 0),
    maxConcurrency: concurrency === undefined ? 'not set' : numberIn(concurrency),
  };
}

function consumerFacts(consumer: CfnResource | undefined): QueueFacts {
  if (!consumer) return {};
  const { Properties } = templateOf(consumer);
  const variables = variablesOf(Properties);
  const isIdempotent = variables[ENVIRONMENT.table] !== undefined;
  const retention = variables[ENVIRONMENT.retention] ?? `${DEFAULT_RETENTION_MS / 1_000}s`;
  return {
    timeout: numberIn(Properties['Timeout'], LAMBDA_TIMEOUT_S),
    reservedConcurrentExecutions: numberIn(Properties['ReservedConcurrentExecutions']),
    retention: isIdempotent ? secondsIn(retention) : undefined,
  };
}

/** The function that a mapping invokes, also by an alias or a version. */
function functionOf(name: unknown): CfnResource | undefined {
  const target = targetOf(name);
  if (!target || isResource(target, FUNCTION)) return target;
  return functionOf(templateOf(target).Properties['FunctionName']);
}

const FOUR_DAYS_S = 345_600;

function queueFacts(queue: CfnResource | undefined): QueueFacts {
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

const DAY_S = 86_400;

function streamRetention(source: CfnResource | undefined): number | undefined {
  if (!source || !isResource(source, 'AWS::Kinesis::Stream')) return DAY_S;
  const hours = numberIn(templateOf(source).Properties['RetentionPeriodHours'], 24);
  return hours && hours * 3_600;
}
