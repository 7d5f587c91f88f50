import type { Duration } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { ConsumerProps } from './consumer.ts';

export interface IdempotentQueueConsumerProps extends ConsumerProps {
  /**
   * A queue that exists. What is known of it is checked; of an imported one only its name, so synthesis warns of the rest.
   * @default - a new queue and its dead-letter queue
   */
  readonly queue?: sqs.IQueue;
  /**
   * The dead-letter queue of an imported `queue`, which only its owner knows.
   * @default - that of the redrive policy
   */
  readonly deadLetters?: sqs.IQueue;
  /**
   * Lets the function send to the dead-letter queue, and names it in its environment:
   * `sqsRedelivery({ deadLetterQueueUrl: process.env.IDEMPOTENCY_DEAD_LETTER_QUEUE_URL })`.
   * @default false
   */
  readonly sendsDeadLetters?: boolean;
  /**
   * A key of your own to encrypt both queues with. Services that send to the queue need a grant on it.
   * @default - a key that SQS owns
   */
  readonly encryptionKey?: kms.IKey;
  /**
   * Which messages are consumed: `lambda.FilterCriteria.filter(…)`. Lambda deletes the others.
   * @default - all
   */
  readonly filters?: { [key: string]: any }[];
  /**
   * A key of your own to encrypt the filters with.
   * @default - a key that AWS owns
   */
  readonly filterEncryption?: kms.IKey;
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
