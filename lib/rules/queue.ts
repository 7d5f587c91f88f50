import { atLeast, atMost, type Rule } from './rule.ts';

/** A queue and its consumer; durations in seconds. */
export interface QueueFacts {
  readonly timeout?: number;
  readonly maxBatchingWindow?: number;
  readonly batchSize?: number;
  readonly maxConcurrency?: number | 'not set';
  readonly reservedConcurrentExecutions?: number;
  readonly visibilityTimeout?: number;
  readonly maxReceiveCount?: number;
  readonly deadLetterQueue?: 'set' | 'not set';
  readonly queueRetention?: number;
  readonly deadLetterRetention?: number;
  /** How long outcomes are kept. */
  readonly retention?: number;
  readonly fifo?: boolean;
  readonly reportBatchItemFailures?: boolean;
}

const sum = (...parts: readonly (number | undefined)[]): number | undefined =>
  parts.some((part) => part === undefined) ? undefined : parts.reduce((all = 0, part = 0) => all + part, 0);

export const LEAST_RECEIVES = 5;

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
export const QUEUE_RULES: readonly Rule<QueueFacts>[] = [
  {
    id: 'partial-failures',
    judge: ({ reportBatchItemFailures }) =>
      reportBatchItemFailures === false
        ? '`reportBatchItemFailures` is false; expected true: otherwise a failed record of a batch is deleted, or all come again'
        : undefined,
  },
  atLeast('visibility-timeout', [
    'visibilityTimeout',
    ({ timeout, maxBatchingWindow = 0 }) => sum(timeout && timeout * 6, maxBatchingWindow),
    's: 6 function timeouts and the batching window',
  ]),
  {
    id: 'dead-letter-queue',
    judge: ({ deadLetterQueue }) =>
      deadLetterQueue === 'not set'
        ? '`deadLetterQueue` is not set; expected one: a record that always fails comes again until the queue forgets it'
        : undefined,
  },
  atLeast('receive-count', [
    'maxReceiveCount',
    () => LEAST_RECEIVES,
    ': a duplicate that waits for its turn is received, too',
  ]),
  atLeast('retention', [
    'retention',
    ({ queueRetention, deadLetterQueue, deadLetterRetention }) =>
      sum(queueRetention, deadLetterQueue === 'not set' ? 0 : deadLetterRetention),
    's: a message may come again from the dead-letter queue',
  ]),
  atLeast('dead-letter-retention', [
    'deadLetterRetention',
    ({ queueRetention }) => queueRetention,
    's: as long as the queue keeps a message',
  ]),
  {
    id: 'fifo-window',
    judge: ({ fifo, maxBatchingWindow }) =>
      fifo && maxBatchingWindow
        ? '`maxBatchingWindow` is set; expected none: a FIFO queue has no batching window'
        : undefined,
  },
  atMost('batch-size', ['batchSize', ({ fifo }) => (fifo ? 10 : 10_000), '']),
  atLeast('batching-window', [
    'maxBatchingWindow',
    ({ batchSize = 10 }) => (batchSize > 10 ? 1 : undefined),
    's: Lambda wants it for a batch size above 10',
  ]),
  atMost('concurrency', [
    'maxConcurrency',
    // Lambda takes no limit below 2; and 0 is how a consumer is stopped.
    ({ reservedConcurrentExecutions: reserved = 0 }) => (reserved < 2 ? undefined : reserved),
    ', the reserved concurrency: a throttled batch uses up receives',
  ]),
];
