import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueUrlCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { isFunction, parsed, that } from '../core/check.ts';
import { textOf } from '../core/errors.ts';
import type { Redelivery } from '../run/batch.ts';
import { deadLetterOf } from './dead-letter.ts';
import { type Hidden, hidden, jittered, type RetryAfter } from './delay.ts';

export type { RetryAfter } from './delay.ts';

export interface SqsRedeliveryOptions {
  /**
   * An `SQSClient`. Its role needs `sqs:GetQueueUrl` and `sqs:ChangeMessageVisibility` on the queue, and `sqs:SendMessage` on the dead-letter queue.
   * @default - a client that gives up on a request after 2 s
   */
  readonly client?: Pick<SQSClient, 'send'>;
  /**
   * How long a failed message is hidden before it comes again, in ms or as `'5m'`, at most 11 h 40 min; `undefined` leaves it to the queue's own timeout. A conflict
   * comes when the lease in its way ends, and is not asked for.
   * @default - full jitter, from 2 s doubling to 15 min, by the attempts of its record; without one by its receives
   */
  readonly retryAfter?: RetryAfter;
  /**
   * URL of the queue to which a message is sent at once when its error is on record as terminal: it is acknowledged when that has succeeded, so it is sent
   * at least once. Of FIFO for a queue of FIFO.
   * @default - such a message comes again until the queue's own redrive policy takes it
   */
  readonly deadLetterQueueUrl?: string;
}

/** The option `redelivery` of `idempotentBatch`. */
export type SqsRedelivery = Redelivery<SQSRecord>;

const OPTIONS = {
  client: that<Pick<SQSClient, 'send'>>(
    (value) => isFunction((value as Partial<SQSClient> | null)?.send),
    'an SQSClient',
  ),
  retryAfter: that<RetryAfter>(isFunction, 'a function of the error'),
  deadLetterQueueUrl: that<string>((value) => typeof value === 'string' && URL.canParse(value), 'the URL of a queue'),
};

/** Entries of a batch request. */
const MOST = 10;

/** Ms of an invocation that are kept for the requests. */
const RESERVE_MS = 1_000;

/**
 * Lets failed messages of SQS wait before they come again, and sends those that no retry can mend to a dead-letter queue at once.
 *
 * Its requests go out at the end of the invocation. If they fail, the messages come again when the queue's own visibility timeout is over. Throws
 * `CONFIG_INVALID` when built with unknown options.
 *
 * @example
 * export const handler = idempotentBatch(async (record: SQSRecord) => ship(JSON.parse(record.body)), {
 *   store: dynamoDBStore(),
 *   redelivery: sqsRedelivery({ deadLetterQueueUrl: process.env.DEAD_LETTERS }),
 * });
 */
export function sqsRedelivery(options: SqsRedeliveryOptions = {}): SqsRedelivery {
  const { retryAfter = jittered, deadLetterQueueUrl, ...given } = parsed('sqsRedelivery', options, OPTIONS);
  const {
    client = new SQSClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 500, requestTimeout: 2_000 } }),
  } = given;
  const urls = new Map<string, Promise<string | undefined>>();

  const urlOf = (arn: string): Promise<string | undefined> => {
    const [, , , , QueueOwnerAWSAccountId, QueueName = ''] = arn.split(':');
    const known = urls.get(arn);
    if (known) return known;
    const asked = client
      .send(new GetQueueUrlCommand({ QueueName, QueueOwnerAWSAccountId }))
      .then(({ QueueUrl }) => QueueUrl);
    urls.set(arn, asked);
    asked.catch(() => urls.delete(arn));
    return asked;
  };

  const hide = async (messages: readonly Hidden[], arn: string, abortSignal: AbortSignal): Promise<void> => {
    const Entries = messages.map(({ record, seconds }, index) => ({
      Id: `${index}`,
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: seconds,
    }));
    const { Failed = [] } = await client.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl: await urlOf(arn), Entries }),
      { abortSignal },
    );
    for (const { Id, Code } of Failed) warn(`${messages[Number(Id)]?.record.messageId}: ${Code}`);
  };

  return {
    reserve: RESERVE_MS,

    async postpone(left, signal) {
      const byQueue = Map.groupBy(hidden(left, retryAfter, Date.now()), ({ record }) => record.eventSourceARN);
      const requests = [...byQueue].flatMap(([arn, messages]) =>
        parts(messages).map((part) => hide(part, arn, signal)),
      );
      await Promise.all(requests.map((request) => request.catch((error) => warn(textOf(error)))));
    },

    ...(deadLetterQueueUrl && {
      async deadLetter(record, failure) {
        const { input, unsaid } = deadLetterOf(record, failure, deadLetterQueueUrl);
        await client.send(new SendMessageCommand(input));
        if (Object.keys(unsaid).length > 0)
          console.error(`message ${record.messageId} is a dead letter without`, unsaid);
      },
    }),
  };
}

function parts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / MOST) }, (_, part) => all.slice(part * MOST, (part + 1) * MOST));
}

function warn(why: string): void {
  console.error(`a message comes again when the visibility timeout of its queue is over: ${why}`);
}
