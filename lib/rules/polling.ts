import { ENVIRONMENT } from '../../src/environment.ts';
import { KAFKA_RULES, type KafkaFacts } from './kafka.ts';
import { LAMBDA_TIMEOUT_S, numberIn, type Properties, retentionIn, variablesOf } from './properties.ts';
import { QUEUE_RULES, type QueueFacts } from './queue.ts';
import type { RetryFacts } from './retries.ts';
import { broken, type Finding } from './rule.ts';
import { STREAM_RULES, type StreamFacts } from './stream.ts';

/** An event source mapping, and what it stands between. */
export interface Polling {
  readonly properties: Properties;
  /** What it polls: the type of that, or its ARN, or {@link KAFKA}. */
  readonly service: string;
  readonly consumer: Consumer;
  /** The queue that it polls, as far as it is known. */
  readonly queue?: Properties | undefined;
  /** Where that queue puts what nobody could process. */
  readonly deadLetters?: Properties | undefined;
  /** Seconds that the stream which it polls keeps a record. */
  readonly streamRetention?: number | undefined;
  /** The queue or topic that is told what Lambda gives up, as far as it is known. */
  readonly destination?: Properties | undefined;
}

export interface Consumer {
  readonly timeout?: number | undefined;
  readonly reservedConcurrentExecutions?: number | undefined;
  readonly retention?: number | undefined;
  readonly toldOfPartialFailures?: string | undefined;
}

const KAFKA = 'Kafka';

/** How what is polled is judged. */
const SOURCES: readonly { readonly is: RegExp; readonly judge: (polling: Polling) => Finding[] }[] = [
  {
    is: /^(AWS::SQS::Queue|arn:[^:]+:sqs:.*)$/,
    judge: (polling) => broken(QUEUE_RULES, queueMapping(polling)),
  },
  {
    is: /^(AWS::Kinesis::Stream|AWS::DynamoDB::(Global)?Table|arn:[^:]+:(kinesis|dynamodb):.*)$/,
    judge: (polling) => broken(STREAM_RULES, streamMapping(polling)),
  },
  {
    is: new RegExp(`^${KAFKA}$`),
    judge: (polling) => broken(KAFKA_RULES, kafkaMapping(polling)),
  },
];

/** What is wrong with an event source mapping; nothing, if nobody knows what it polls. */
export function findingsOf(polling: Polling): Finding[] {
  return SOURCES.find(({ is }) => is.test(polling.service))?.judge(polling) ?? [];
}

/** The kind of what is polled, by the mapping's own words. `known`: what else is known of it. */
export function serviceOf({ SelfManagedEventSource, Topics, EventSourceArn }: Properties, known?: string): string {
  // Nothing else has topics, whatever is known of its ARN.
  return SelfManagedEventSource || Topics ? KAFKA : (known ?? String(EventSourceArn));
}

/** What a mapping needs to know of its function. */
export function consumerIn(properties: Properties): Consumer {
  const variables = variablesOf(properties);
  const isIdempotent = variables[ENVIRONMENT.table] !== undefined;
  return {
    timeout: numberIn(properties['Timeout'], LAMBDA_TIMEOUT_S),
    reservedConcurrentExecutions: numberIn(properties['ReservedConcurrentExecutions']),
    ...(isIdempotent && {
      retention: retentionIn(properties),
      toldOfPartialFailures: textIn(variables[ENVIRONMENT.partialFailures]),
    }),
  };
}

function textIn(value: unknown = 'not set'): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function queueMapping({ properties, queue, deadLetters, consumer }: Polling): QueueFacts {
  const concurrency = properties['ScalingConfig']?.MaximumConcurrency;
  const isProvisioned = properties['ProvisionedPollerConfig'] !== undefined; // which has limits of its own
  return {
    ...consumer,
    ...queueFactsOf(queue, deadLetters),
    batchSize: numberIn(properties['BatchSize'], 10),
    maxBatchingWindow: numberIn(properties['MaximumBatchingWindowInSeconds'], 0),
    maxConcurrency: concurrency === undefined && !isProvisioned ? 'not set' : numberIn(concurrency),
    reportBatchItemFailures: isReporting(properties),
  } as QueueFacts;
}

const FOUR_DAYS_S = 345_600;

/** What is known of a queue. */
export function queueFactsOf(queue: Properties | undefined, deadLetters: Properties | undefined): QueueFacts {
  if (!queue) return {};
  const redrive = queue['RedrivePolicy'];
  return {
    fifo: queue['FifoQueue'] === true,
    visibilityTimeout: numberIn(queue['VisibilityTimeout'], 30),
    queueRetention: numberIn(queue['MessageRetentionPeriod'], FOUR_DAYS_S),
    deadLetterQueue: redrive === undefined ? 'not set' : 'set',
    maxReceiveCount: numberIn(redrive?.maxReceiveCount),
    deadLetterRetention: deadLetters && numberIn(deadLetters['MessageRetentionPeriod'], FOUR_DAYS_S),
  } as QueueFacts;
}

function streamMapping(polling: Polling): StreamFacts {
  return {
    ...retryFacts(polling),
    tumblingWindow: numberIn(polling.properties['TumblingWindowInSeconds'], 0),
    sourceRetention: polling.streamRetention,
  } as StreamFacts;
}

/** Retries of Lambda itself, where there is a destination for what it gives up. */
const KAFKA_RETRIES = 10;

function kafkaMapping(polling: Polling): KafkaFacts {
  return {
    ...retryFacts(polling, KAFKA_RETRIES),
    toldOfPartialFailures: polling.consumer.toldOfPartialFailures,
    provisionedPollers: polling.properties['ProvisionedPollerConfig'] === undefined ? 'not set' : 'set',
  } as KafkaFacts;
}

function retryFacts({ properties, consumer, destination: known }: Polling, retriesByDefault = -1): RetryFacts {
  const { timeout, retention } = consumer;
  const destination = properties['DestinationConfig']?.OnFailure?.Destination;
  const isBisected: unknown = properties['BisectBatchOnFunctionError'] ?? false;
  return {
    timeout,
    retention,
    reportBatchItemFailures: isReporting(properties),
    bisectBatchOnError: typeof isBisected === 'boolean' ? isBisected : undefined,
    onFailure: destination === undefined ? 'not set' : isFifo(destination, known) ? 'FIFO' : 'set',
    retryAttempts: numberIn(properties['MaximumRetryAttempts'], destination === undefined ? -1 : retriesByDefault),
    maxRecordAge: numberIn(properties['MaximumRecordAgeInSeconds'], -1),
  };
}

function isFifo(arn: unknown, { FifoQueue, FifoTopic }: Properties = {}): boolean {
  return FifoQueue === true || FifoTopic === true || String(arn).endsWith('.fifo');
}

function isReporting(properties: Properties): boolean | undefined {
  const reported: unknown = properties['FunctionResponseTypes'] ?? [];
  return Array.isArray(reported) ? reported.includes('ReportBatchItemFailures') : undefined;
}
