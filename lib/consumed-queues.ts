import { Annotations, Duration } from 'aws-cdk-lib';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { existingQueueFacts, hiddenFor, newQueueFacts, queueResource } from './queue-consumer-facts.ts';
import type { IdempotentQueueConsumerProps } from './queue-consumer-props.ts';
import { secureQueue } from './queues.ts';
import { LEAST_RECEIVES, QUEUE_RULES } from './rules/queue.ts';
import { expectKept } from './rules/rule.ts';

/** A queue to consume. */
interface Queues {
  readonly queue: sqs.IQueue;
  /** Undefined: not known. */
  readonly deadLetters: sqs.IQueue | undefined;
  /** Seconds that an outcome is kept. */
  readonly retention: number;
}

/** The queue that the props name, or a new one with its dead-letter queue. Throws for what breaks a rule. */
export function consumedQueues(parent: Construct, props: IdempotentQueueConsumerProps): Queues {
  return props.queue ? existingQueue(parent, props, props.queue) : newQueues(parent, props);
}

function newQueues(parent: Construct, props: IdempotentQueueConsumerProps): Queues {
  if (props.deadLetters) throw new Error('`deadLetters` is set without `queue`; expected both');
  const facts = newQueueFacts(props);
  expectKept(QUEUE_RULES, facts);
  // CloudFormation takes no `false`.
  const common = { fifo: props.fifo || undefined, encryptionKey: props.encryptionKey };
  const deadLetters = secureQueue(parent, 'DeadLetterQueue', {
    ...common,
    retentionPeriod: Duration.seconds(facts.deadLetterRetention),
  });
  const queue = secureQueue(parent, 'Queue', {
    ...common,
    retentionPeriod: Duration.seconds(facts.queueRetention),
    visibilityTimeout: Duration.seconds(facts.visibilityTimeout),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: facts.maxReceiveCount },
  });
  return { queue, deadLetters, retention: facts.retention };
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
function checkKinds(queue: sqs.IQueue, deadLetters: sqs.IQueue | undefined): void {
  if (!deadLetters) return;
  if (deadLetters === queue) throw new Error('`deadLetters` is the queue itself; expected another');
  if (deadLetters.fifo === queue.fifo) return;
  const kindOf = ({ fifo }: sqs.IQueue): string => (fifo ? 'FIFO' : 'standard');
  throw new Error(
    `\`deadLetters\` is a ${kindOf(deadLetters)} queue; expected a ${kindOf(queue)} one, as the queue is`,
  );
}

function existingQueue(parent: Construct, props: IdempotentQueueConsumerProps, queue: sqs.IQueue): Queues {
  const own = (queue as Partial<sqs.Queue>).deadLetterQueue?.queue;
  if (own && props.deadLetters && own !== props.deadLetters) {
    throw new Error(`\`deadLetters\` is ${props.deadLetters.node.path}; expected ${own.node.path}, that of the queue`);
  }
  const deadLetters = own ?? props.deadLetters;
  checkKinds(queue, deadLetters);
  const facts = existingQueueFacts(props, queue, deadLetters);
  expectKept(QUEUE_RULES, facts, `${queue.node.path}: `);
  if (!queueResource(queue)) {
    Annotations.of(parent).addWarningV2(
      'effectively-once:imported-queue',
      `${queue.node.path} is imported, so it cannot be checked. Its visibility timeout must be at least ${hiddenFor(facts)} s, and it must have a dead-letter queue with a \`maxReceiveCount\` of at least ${LEAST_RECEIVES}.`,
    );
  }
  return { queue, deadLetters, retention: facts.retention };
}
