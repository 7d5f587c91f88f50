import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { Consumer } from 'sqs-consumer';

export interface EventSourceMapping {
  /** The next batch is not deleted, though it was processed: SQS delivers it again. */
  readonly loseNextDelete: () => void;
  readonly stop: () => void;
}

/** Polls a queue as Lambda does: what a batch response does not name is deleted, the rest comes back after its time. */
export function startEventSourceMapping(options: {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly batchSize: number;
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
}): EventSourceMapping {
  let lose = false;
  const consumer = Consumer.create({
    ...options,
    waitTimeSeconds: 1,
    pollingWaitTimeMs: 0,
    messageSystemAttributeNames: ['All'],
    suppressFifoWarning: true,
    handleMessageBatch: async (messages) => {
      const losing = lose;
      lose = false;
      const response = await options.invoke({ Records: messages.map(recordOf) }).catch(() => undefined);
      const failures = (response as SQSBatchResponse | undefined)?.batchItemFailures;
      if (losing || !failures) return [];
      const failed = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
      return messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
    },
  });
  consumer.on('error', () => {}); // a queue that is going away
  consumer.start();
  return {
    loseNextDelete: () => {
      lose = true;
    },
    stop: () => consumer.stop({ abort: true }),
  };
}

function recordOf(message: Message): SQSRecord {
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: { ...message.Attributes } as unknown as SQSRecord['attributes'],
    messageAttributes: {},
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:000000000000:orders',
    awsRegion: 'eu-central-1',
  };
}
