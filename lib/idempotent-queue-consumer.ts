import { Duration, Token } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { IdempotentFunction, type IdempotentFunctionProps, TIMEOUT } from './idempotent-function.ts';

export interface IdempotentQueueConsumerProps extends IdempotentFunctionProps {
  /**
   * Messages in order, per message group.
   * @default false
   */
  readonly fifo?: boolean;
  /**
   * Most records of one invocation.
   * @default 10
   */
  readonly batchSize?: number;
  /**
   * How long Lambda gathers records; not of a FIFO queue.
   * @default - it does not wait
   */
  readonly maxBatchingWindow?: Duration;
  /**
   * Most invocations at once.
   * @default - no limit
   */
  readonly maxConcurrency?: number;
  /**
   * How often a message is received before it goes to the dead-letter queue: at least 5.
   * @default 5
   */
  readonly maxReceiveCount?: number;
  /**
   * How long a received message is hidden: at least 6 timeouts of the function and the batching window.
   * @default - as long as that
   */
  readonly visibilityTimeout?: Duration;
  /**
   * How long the queue keeps a message.
   * @default Duration.days(4)
   */
  readonly queueRetention?: Duration;
  /**
   * How long the dead-letter queue keeps a message.
   * @default Duration.days(14)
   */
  readonly deadLetterRetention?: Duration;
  /**
   * How long an outcome is kept: at least as long as a message may lie in both queues, and come again.
   * @default - as long as that
   */
  readonly retention?: Duration;
}

/**
 * A queue, its dead-letter queue, and an `IdempotentFunction` that consumes it with `idempotentBatch`. What AWS asks of the
 * three together is computed; a prop that would break it fails synthesis.
 *
 * @example
 * new IdempotentQueueConsumer(this, 'Orders', { entry: 'src/orders.ts', table, scope: 'orders' });
 */
export class IdempotentQueueConsumer extends Construct {
  readonly queue: sqs.Queue;
  readonly deadLetterQueue: sqs.Queue;
  readonly function: IdempotentFunction;

  constructor(scope: Construct, id: string, props: IdempotentQueueConsumerProps) {
    super(scope, id);
    const { fifo, batchSize, maxBatchingWindow, maxConcurrency, maxReceiveCount, visibilityTimeout, ...rest } = props;
    const { queueRetention = Duration.days(4), deadLetterRetention = Duration.days(14), ...functionProps } = rest;
    const timeout = props.timeout ?? TIMEOUT;
    const hidden = timeout.toSeconds() * 6 + (maxBatchingWindow?.toSeconds() ?? 0);
    const kept = queueRetention.toSeconds() + deadLetterRetention.toSeconds();

    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    atLeast(
      `visibilityTimeout`,
      visibilityTimeout?.toSeconds(),
      hidden,
      's: 6 function timeouts and the batching window',
    );
    atLeast('maxReceiveCount', maxReceiveCount, 5, ': a duplicate that waits for its turn is received, too');
    atLeast('retention', props.retention?.toSeconds(), kept, 's: a message may come again from the dead-letter queue');
    const queued = queueRetention.toSeconds();
    atLeast('deadLetterRetention', deadLetterRetention.toSeconds(), queued, 's: as long as the queue keeps a message');
    if (fifo && maxBatchingWindow)
      throw new Error('`maxBatchingWindow` is set; expected none: a FIFO queue has no batching window');
    atMost('batchSize', batchSize, fifo ? 10 : 10_000);
    if ((batchSize ?? 10) > 10) {
      atLeast(
        'maxBatchingWindow',
        maxBatchingWindow?.toSeconds() ?? 0,
        1,
        's: Lambda wants it for a batch size above 10',
      );
    }

    const secure = {
      fifo: fifo || undefined, // CloudFormation takes no `false`
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
    };
    this.deadLetterQueue = new sqs.Queue(this, 'DeadLetterQueue', { ...secure, retentionPeriod: deadLetterRetention });
    this.queue = new sqs.Queue(this, 'Queue', {
      ...secure,
      retentionPeriod: queueRetention,
      visibilityTimeout: visibilityTimeout ?? Duration.seconds(hidden),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: maxReceiveCount ?? 5 },
    });
    this.function = new IdempotentFunction(this, 'Function', {
      ...functionProps,
      timeout,
      retention: props.retention ?? Duration.seconds(kept),
    });
    this.function.addEventSource(
      new SqsEventSource(this.queue, { reportBatchItemFailures: true, batchSize, maxBatchingWindow, maxConcurrency }),
    );
  }
}

function atLeast(name: string, got: number | undefined, expected: number, why: string): void {
  if (got === undefined || Token.isUnresolved(got) || got >= expected) return;
  throw new Error(`\`${name}\` is ${got}; expected at least ${expected}${why}`);
}

function atMost(name: string, got: number | undefined, expected: number): void {
  if (got === undefined || Token.isUnresolved(got) || got <= expected) return;
  throw new Error(`\`${name}\` is ${got}; expected at most ${expected}`);
}
