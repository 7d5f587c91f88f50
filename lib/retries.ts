import type { Duration } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { type ConsumerProps, known, secondsOf } from './consumer.ts';
import { TIMEOUT } from './idempotent-function.ts';
import { onFailureQueue } from './queues.ts';
import { LEAST_AGE_S, MOST_AGE_S, type RetryFacts, retriesLast } from './rules/retries.ts';

/** What consumers of records in order take, besides their source. */
export interface RetryingConsumerProps extends ConsumerProps {
  /**
   * Where to begin: what was done before is answered from its records.
   * @default StartingPosition.TRIM_HORIZON - none for a stream that keeps a record for more than 7 days
   */
  readonly startingPosition?: lambda.StartingPosition;
  /**
   * Where to begin with `StartingPosition.AT_TIMESTAMP`, in Unix seconds.
   * @default - none
   */
  readonly startingPositionTimestamp?: number;
  /**
   * Most records of one invocation.
   * @default 100
   */
  readonly batchSize?: number;
  /**
   * How long Lambda gathers records.
   * @default - as Lambda does: it does not wait for streams, and half a second for Kafka
   */
  readonly maxBatchingWindow?: Duration;
  /**
   * How often Lambda tries a failed record again before it gives up: 3 to 10,000. It does so at once, and what is behind waits. Few are used up by an outage of
   * seconds, and what is given up is lost to the function.
   * @default 10_000 - until it is too old
   */
  readonly retryAttempts?: number;
  /**
   * How old a record may be before Lambda gives it up: at least 2 timeouts of the function, at most 7 days.
   * @default - as long as the source keeps it, at most 7 days
   */
  readonly maxRecordAge?: Duration;
  /**
   * Where Lambda says what it has given up.
   * @default - a new queue
   */
  readonly onFailure?: lambda.IEventSourceDlq;
  /**
   * A key of your own to encrypt the new queue with.
   * @default - a key that SQS owns
   */
  readonly encryptionKey?: kms.IKey;
  /**
   * Which records are consumed: `lambda.FilterCriteria.filter(…)`.
   * @default - all
   */
  readonly filters?: { [key: string]: any }[];
  /**
   * A key of your own to encrypt the filters with.
   * @default - a key that AWS owns
   */
  readonly filterEncryption?: kms.IKey;
  /**
   * How long an outcome is kept: at least as long as the source keeps a record, and Lambda tries it again.
   * @default - as long as that
   */
  readonly retention?: Duration;
}

type Known = RetryFacts & Readonly<Record<'retryAttempts' | 'maxRecordAge' | 'retention' | 'sourceRetention', number>>;

const RETRIES = 10_000;

/** The props in seconds, and what is computed from them. Throws for what is not known at synthesis. */
export function retryFactsOf(props: RetryingConsumerProps, sourceRetention: number): Known {
  const { timeout = TIMEOUT, maxRecordAge, retention } = props;
  const facts = {
    timeout: secondsOf('timeout', timeout),
    reportBatchItemFailures: true,
    bisectBatchOnError: true,
    onFailure: 'set',
    retryAttempts: known('retryAttempts', props.retryAttempts) ?? RETRIES,
    maxRecordAge: maxRecordAge
      ? secondsOf('maxRecordAge', maxRecordAge)
      : Math.min(MOST_AGE_S, Math.max(LEAST_AGE_S, sourceRetention)),
    sourceRetention,
  } as const;
  return {
    ...facts,
    retention: retention ? secondsOf('retention', retention) : sourceRetention + retriesLast(facts),
  };
}

/** The destination of the props, or a new queue. */
export function onFailureOf(
  parent: Construct,
  { onFailure, encryptionKey }: RetryingConsumerProps,
): { readonly onFailure: lambda.IEventSourceDlq; readonly queue?: sqs.Queue } {
  if (onFailure && encryptionKey) throw new Error('`encryptionKey` is set beside `onFailure`; expected one of them');
  if (onFailure) return { onFailure };
  const queue = onFailureQueue(parent, encryptionKey);
  return { onFailure: new SqsDlq(queue), queue };
}

export function deadLettersIn(queue: sqs.Queue | undefined, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
  if (queue) return queue.metricApproximateNumberOfMessagesVisible(options);
  throw new Error('there is no on-failure queue: the prop `onFailure` is set; expected a metric of that destination');
}
