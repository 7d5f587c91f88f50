import { type CfnResource, Duration } from 'aws-cdk-lib';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { known, secondsOf } from './consumer.ts';
import { TIMEOUT } from './idempotent-function.ts';
import { queueFacts } from './mapping-facts.ts';
import type { IdempotentQueueConsumerProps } from './queue-consumer-props.ts';
import { LONGEST_RETENTION } from './queues.ts';
import { LEAST_RECEIVES, type QueueFacts } from './rules/queue.ts';
import { isResource } from './template.ts';

type Known<Names extends keyof QueueFacts> = QueueFacts & Readonly<Record<Names, number>>;

/** The props in seconds, and what is computed from them for new queues. Throws for what is not known at synthesis. */
export function newQueueFacts(
  props: IdempotentQueueConsumerProps,
): Known<'visibilityTimeout' | 'maxReceiveCount' | 'queueRetention' | 'deadLetterRetention' | 'retention'> {
  const { fifo, queueRetention = Duration.days(4), deadLetterRetention = LONGEST_RETENTION } = props;
  const facts = pollingFacts(props, fifo);
  const hidden = hiddenFor(facts);
  const queued = secondsOf('queueRetention', queueRetention);
  const dead = secondsOf('deadLetterRetention', deadLetterRetention);
  return {
    ...facts,
    visibilityTimeout: props.visibilityTimeout ? secondsOf('visibilityTimeout', props.visibilityTimeout) : hidden,
    maxReceiveCount: known('maxReceiveCount', props.maxReceiveCount) ?? LEAST_RECEIVES,
    queueRetention: queued,
    deadLetterQueue: 'set',
    deadLetterRetention: dead,
    retention: facts.retention ?? queued + dead,
  };
}

/** Props that make a queue. */
const OF_NEW = [
  'fifo',
  'visibilityTimeout',
  'maxReceiveCount',
  'queueRetention',
  'deadLetterRetention',
  'encryptionKey',
];

/** What can be known of a queue that exists, and its dead-letter queue. */
export function existingQueueFacts(
  props: IdempotentQueueConsumerProps,
  queue: sqs.IQueue,
  deadLetters: sqs.IQueue | undefined,
): Known<'retention'> {
  const given = OF_NEW.find((name) => props[name as keyof typeof props] !== undefined);
  if (given) throw new Error(`\`${given}\` is set beside \`queue\`; expected it on ${queue.node.path}`);
  const found = queueFacts(queueResource(queue));
  const facts = {
    ...pollingFacts(props, queue.fifo),
    ...found,
    fifo: queue.fifo,
    deadLetterQueue: found.deadLetterQueue ?? (deadLetters && 'set'),
    deadLetterRetention:
      found.deadLetterRetention ?? (deadLetters && queueFacts(queueResource(deadLetters)).queueRetention),
  };
  const longest = LONGEST_RETENTION.toSeconds();
  const dead = facts.deadLetterQueue === 'not set' ? 0 : (facts.deadLetterRetention ?? longest);
  return { ...facts, retention: facts.retention ?? (facts.queueRetention ?? longest) + dead };
}

/** The resource of a queue that is made in this app. */
export function queueResource(queue: sqs.IQueue): CfnResource | undefined {
  const made = queue.node.defaultChild;
  return made && isResource(made, 'AWS::SQS::Queue') ? made : undefined;
}

/** Seconds that a message must be hidden. */
export function hiddenFor({ timeout = 0, maxBatchingWindow = 0 }: QueueFacts): number {
  return timeout * 6 + maxBatchingWindow;
}

function pollingFacts(props: IdempotentQueueConsumerProps, isFifo = false): QueueFacts {
  const { maxBatchingWindow: window, retention } = props;
  return {
    fifo: isFifo,
    timeout: secondsOf('timeout', props.timeout ?? TIMEOUT),
    maxBatchingWindow: window ? secondsOf('maxBatchingWindow', window) : isFifo ? undefined : 0,
    batchSize: known('batchSize', props.batchSize),
    maxConcurrency: known('maxConcurrency', props.maxConcurrency) ?? 'not set',
    reservedConcurrentExecutions: known('reservedConcurrentExecutions', props.reservedConcurrentExecutions),
    retention: retention && secondsOf('retention', retention),
  };
}
