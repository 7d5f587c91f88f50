import { Duration } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import {
  DynamoEventSource,
  KinesisEventSource,
  type StreamEventSourceProps,
} from 'aws-cdk-lib/aws-lambda-event-sources';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { checkProps, consumerOf, mapped, secondsOf } from './consumer.ts';
import { measured } from './idempotency-metrics.ts';
import type { IdempotentFunction } from './idempotent-function.ts';
import { DAY_S, streamRetention } from './mapping-facts.ts';
import { deadLettersIn, onFailureOf, type RetryingConsumerProps, retryFactsOf } from './retries.ts';
import { MOST_AGE_S } from './rules/retries.ts';
import { expectKept } from './rules/rule.ts';
import { STREAM_RULES } from './rules/stream.ts';
import { isResource, resolved, textOf } from './template.ts';

export interface IdempotentStreamConsumerProps extends RetryingConsumerProps {
  /** A Kinesis stream, or a DynamoDB table that has a stream. */
  readonly stream: kinesis.IStream | dynamodb.ITable;
  /**
   * How long an imported Kinesis stream keeps a record, which only its owner knows.
   * @default - what the stream says; of a table 24 hours
   */
  readonly streamRetention?: Duration;
  /**
   * Batches of one shard at once: 1 to 10. Records of one partition key stay in order.
   * @default 1
   */
  readonly parallelizationFactor?: number;
}

/**
 * An `IdempotentFunction` that consumes a stream with `idempotentBatch`: only what is not done comes again, retries are bounded, and
 * what Lambda gives up is told to a queue. A prop that would break it fails synthesis.
 *
 * @example
 * new IdempotentStreamConsumer(this, 'Trips', { stream, entry: 'src/trips.ts', table, scope: 'trips' });
 */
export class IdempotentStreamConsumer extends measured(Construct) {
  readonly function: IdempotentFunction;
  /** What the stream invokes, if it is not the function itself. */
  readonly alias?: lambda.Alias;
  readonly mapping: lambda.EventSourceMapping;
  /** What Lambda gave up, as ranges of sequence numbers; undefined if the prop `onFailure` says where. */
  readonly onFailureQueue?: sqs.Queue;

  constructor(scope: Construct, id: string, props: IdempotentStreamConsumerProps) {
    super(scope, id);
    checkProps(props, { stream: 'a Kinesis stream, or a DynamoDB table that has a stream' });
    const { stream, streamRetention: _, parallelizationFactor, onFailure: __, encryptionKey, ...rest } = props;
    const { startingPosition, startingPositionTimestamp, filters, filterEncryption, ...others } = rest;
    const { batchSize, maxBatchingWindow, retryAttempts, maxRecordAge, ...functionProps } = others;
    checkStream(props);
    const facts = retryFactsOf(props, retentionOf(props));
    expectKept(STREAM_RULES, facts);
    checkStart(props, facts.sourceRetention);
    const { onFailure, queue } = onFailureOf(this, props);
    this.onFailureQueue = queue;
    const consumer = consumerOf(this, { ...functionProps, retention: Duration.seconds(facts.retention) });
    this.function = consumer.function;
    this.alias = consumer.alias;
    const polling = { batchSize, maxBatchingWindow, parallelizationFactor, filters, filterEncryption, onFailure };
    const source = sourceOf(stream, startingPositionTimestamp, {
      ...polling,
      startingPosition: startingPosition ?? lambda.StartingPosition.TRIM_HORIZON,
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: facts.retryAttempts,
      maxRecordAge: Duration.seconds(facts.maxRecordAge),
    });
    this.mapping = mapped(consumer, source);
  }

  /** The age of the last record that was processed, in ms. */
  metricIteratorAge(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.function.metric('IteratorAge', { statistic: 'Maximum', ...options });
  }

  /** Messages of what Lambda gave up. Throws if the prop `onFailure` says where they go. */
  metricDeadLetters(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return deadLettersIn(this.onFailureQueue, options);
  }
}

type Stream = IdempotentStreamConsumerProps['stream'];

const isKinesis = (stream: Stream): stream is kinesis.IStream => 'streamArn' in stream;

function sourceOf(stream: Stream, startingPositionTimestamp: number | undefined, props: StreamEventSourceProps) {
  return isKinesis(stream)
    ? new KinesisEventSource(stream, { ...props, startingPositionTimestamp })
    : new DynamoEventSource(stream, props);
}

function checkStream({ stream, table, startingPositionTimestamp }: IdempotentStreamConsumerProps): void {
  if (isKinesis(stream)) return;
  const { path } = stream.node;
  if (isSame(stream, table)) {
    throw new Error(
      `\`stream\` is ${path}, the table of records; expected another: each record would bring another one`,
    );
  }
  if (!stream.tableStreamArn)
    throw new Error(`\`stream\` is ${path}, a table without a stream; expected one with \`stream\``);
  if (startingPositionTimestamp !== undefined) {
    throw new Error('`startingPositionTimestamp` is set; expected none: a DynamoDB stream has no such position');
  }
}

/** A stream that keeps more than Lambda processes is not read from its beginning by default. */
function checkStart({ startingPosition }: IdempotentStreamConsumerProps, keeps: number): void {
  if (startingPosition !== undefined || keeps <= MOST_AGE_S) return;
  throw new Error(
    `\`startingPosition\` is not set; expected one: the stream keeps a record for ${keeps} s, and Lambda gives up what is older than ${MOST_AGE_S} s`,
  );
}

/** Also of two that are imported by one name. */
function isSame(one: dynamodb.ITable, other: dynamodb.ITable): boolean {
  return one === other || textOf(resolved(one, one.tableArn)) === textOf(resolved(other, other.tableArn));
}

/** Seconds that the stream keeps a record. */
function retentionOf({ stream, streamRetention: said }: IdempotentStreamConsumerProps): number {
  const resource = stream.node.defaultChild;
  const made = resource && isResource(resource, 'AWS::Kinesis::Stream') ? streamRetention(resource) : undefined;
  const found = isKinesis(stream) ? made : DAY_S;
  const told = said && secondsOf('streamRetention', said);
  if (found !== undefined && told !== undefined && told !== found) {
    throw new Error(`\`streamRetention\` is ${told}; expected ${found} s, as ${stream.node.path} says`);
  }
  const seconds = found ?? told;
  if (seconds !== undefined) return seconds;
  throw new Error(
    `\`streamRetention\` is not set; expected how long ${stream.node.path} keeps a record: it is not known at synthesis`,
  );
}
