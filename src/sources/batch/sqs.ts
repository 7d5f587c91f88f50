import type { SQSRecord } from 'aws-lambda';
import { canonicalText } from '../../core/canonical.ts';
import { contentOf } from '../envelope.ts';
import { isText, membersOf } from '../members.ts';
import { plain } from '../plain.ts';
import { type BatchSource, COMMON } from './source.ts';

/** SQS. A redrive from the dead-letter queue, or a second send, changes the message id: use a business key. */
export const sqs: BatchSource<SQSRecord> = {
  ...plain,
  ...COMMON,
  name: 'sqs',
  title: 'SQS',
  // Tests and local tools leave the event source out.
  matches: (record) => {
    const { messageId, eventSource = 'aws:sqs' } = membersOf(record);
    return isText(messageId) && eventSource === 'aws:sqs';
  },
  key: ({ body, messageId }) => contentOf(body)?.id ?? messageId,
  payload: ({ body }) => contentOf(body)?.payload ?? jsonOf(body),
  formerPayload: ({ body }) => contentOf(body) && jsonOf(body),
  trace: ({ attributes, messageAttributes }) =>
    attributes?.AWSTraceHeader ?? messageAttributes?.['traceparent']?.stringValue,
  identify: (record) => record.messageId,
  lane: ({ eventSourceARN, attributes }) =>
    isText(eventSourceARN) && eventSourceARN.endsWith('.fifo') ? (attributes?.MessageGroupId ?? '') : undefined,
  received: ({ attributes }) => Number(attributes?.ApproximateReceiveCount) || 0,
  words: {
    key: 'the message id',
    missing: 'the message has no id: give the option `key`',
    conflict: 'the message comes back when its visibility timeout is over',
    mismatch: 'another body: a new message needs a new key',
  },
};

function jsonOf(body: string): string {
  return canonicalText(body) ?? body;
}
