import { Duration, Token } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { IdempotentFunction, type IdempotentFunctionProps, TIMEOUT } from './idempotent-function.ts';
import { QUEUE_RULES, type QueueFacts } from './rules/queue.ts';
import { expectKept } from './rules/rule.ts';

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
    const { queueRetention, deadLetterRetention, ...functionProps } = rest;
    const facts = factsOf(props);
    expectKept(QUEUE_RULES, facts);

    const secure = {
      fifo: fifo || undefined, // CloudFormation takes no `false`
      enforceSSL: true,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
    };
    this.deadLetterQueue = new sqs.Queue(this, 'DeadLetterQueue', {
      ...secure,
      retentionPeriod: Duration.seconds(facts.deadLetterRetention),
    });
    this.queue = new sqs.Queue(this, 'Queue', {
      ...secure,
      retentionPeriod: Duration.seconds(facts.queueRetention),
      visibilityTimeout: Duration.seconds(facts.visibilityTimeout),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: facts.maxReceiveCount },
    });
    this.function = new IdempotentFunction(this, 'Function', {
      ...functionProps,
      retention: Duration.seconds(facts.retention),
    });
    this.function.addEventSource(
      new SqsEventSource(this.queue, { reportBatchItemFailures: true, batchSize, maxBatchingWindow, maxConcurrency }),
    );
  }
}

type Known = QueueFacts &
  Readonly<
    Record<'visibilityTimeout' | 'maxReceiveCount' | 'queueRetention' | 'deadLetterRetention' | 'retention', number>
  >;

/** The props in seconds, and what is computed from them. Throws for what is not known at synthesis. */
function factsOf(props: IdempotentQueueConsumerProps): Known {
  const { fifo, queueRetention = Duration.days(4), deadLetterRetention = Duration.days(14) } = props;
  const timeout = secondsOf('timeout', props.timeout ?? TIMEOUT);
  const maxBatchingWindow = props.maxBatchingWindow && secondsOf('maxBatchingWindow', props.maxBatchingWindow);
  const hidden = timeout * 6 + (maxBatchingWindow ?? 0);
  const queued = secondsOf('queueRetention', queueRetention);
  const dead = secondsOf('deadLetterRetention', deadLetterRetention);
  return {
    fifo,
    timeout,
    maxBatchingWindow: maxBatchingWindow ?? (fifo ? undefined : 0),
    batchSize: known('batchSize', props.batchSize),
    maxConcurrency: known('maxConcurrency', props.maxConcurrency) ?? 'not set',
    reservedConcurrentExecutions: known('reservedConcurrentExecutions', props.reservedConcurrentExecutions),
    visibilityTimeout: props.visibilityTimeout ? secondsOf('visibilityTimeout', props.visibilityTimeout) : hidden,
    maxReceiveCount: known('maxReceiveCount', props.maxReceiveCount) ?? 5,
    queueRetention: queued,
    deadLetterQueue: 'set',
    deadLetterRetention: dead,
    retention: props.retention ? secondsOf('retention', props.retention) : queued + dead,
  };
}

function secondsOf(name: string, duration: Duration): number {
  if (duration.isUnresolved()) throw new Error(unknown(name));
  return duration.toSeconds();
}

function known(name: string, value: number | undefined): number | undefined {
  if (Token.isUnresolved(value)) throw new Error(unknown(name));
  return value;
}

function unknown(name: string): string {
  return `\`${name}\` is not known at synthesis; expected a value that is: queue, function and records are fitted to it`;
}
