import { Duration } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { consumedQueues } from './consumed-queues.ts';
import { ASYNC_RETRIES, checkProps, consumerOf, mapped } from './consumer.ts';
import { measured } from './idempotency-metrics.ts';
import type { IdempotentFunction } from './idempotent-function.ts';
import type { IdempotentQueueConsumerProps } from './queue-consumer-props.ts';

/** The variable that names the dead-letter queue, if `sendsDeadLetters`. */
const DEAD_LETTER_QUEUE_URL = 'IDEMPOTENCY_DEAD_LETTER_QUEUE_URL';

/**
 * A queue, its dead-letter queue, and an `IdempotentFunction` that consumes it with `idempotentBatch`. What AWS asks of the
 * three together is computed; a prop that would break it fails synthesis. The function may do to the queue what `sqsRedelivery` does.
 *
 * @example
 * new IdempotentQueueConsumer(this, 'Orders', { entry: 'src/orders.ts', table, scope: 'orders' });
 */
export class IdempotentQueueConsumer extends measured(Construct) {
  readonly queue: sqs.IQueue;
  readonly function: IdempotentFunction;
  /** What the queue invokes, if it is not the function itself. */
  readonly alias?: lambda.Alias;
  readonly mapping: lambda.EventSourceMapping;
  private readonly deadLetters?: sqs.IQueue;

  constructor(scope: Construct, id: string, props: IdempotentQueueConsumerProps) {
    super(scope, id);
    checkProps(props, {}, ASYNC_RETRIES);
    const {
      queue: _,
      deadLetters: __,
      encryptionKey: ___,
      sendsDeadLetters,
      filters,
      filterEncryption,
      ...rest
    } = props;
    const { fifo, batchSize, maxBatchingWindow, maxConcurrency, maxReceiveCount, visibilityTimeout, ...others } = rest;
    const { queueRetention, deadLetterRetention, ...functionProps } = others;
    const { queue, deadLetters, retention } = consumedQueues(this, props);
    this.queue = queue;
    this.deadLetters = deadLetters;
    const variables = sendsDeadLetters && { [DEAD_LETTER_QUEUE_URL]: this.deadLetterQueue.queueUrl };
    const consumer = consumerOf(this, {
      ...functionProps,
      retention: Duration.seconds(retention),
      environment: { ...props.environment, ...variables },
    });
    this.function = consumer.function;
    this.alias = consumer.alias;
    const polling = { batchSize, maxBatchingWindow, maxConcurrency, filters, filterEncryption };
    this.mapping = mapped(consumer, new SqsEventSource(queue, { ...polling, reportBatchItemFailures: true }));
    if (sendsDeadLetters) this.deadLetterQueue.grantSendMessages(this.function);
  }

  /** Throws if the queue is imported, and `deadLetters` does not say. */
  get deadLetterQueue(): sqs.IQueue {
    if (this.deadLetters) return this.deadLetters;
    throw new Error(`the dead-letter queue of ${this.queue.node.path} is not known; expected the prop \`deadLetters\``);
  }

  /** Messages that wait. */
  metricQueueDepth(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.queue.metricApproximateNumberOfMessagesVisible(options);
  }

  /** The age of the oldest message that is not done, in s. */
  metricOldestMessageAge(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.queue.metricApproximateAgeOfOldestMessage(options);
  }

  /** Messages in the dead-letter queue. Throws as {@link deadLetterQueue} does. */
  metricDeadLetters(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.deadLetterQueue.metricApproximateNumberOfMessagesVisible(options);
  }
}
