import type { SQSRecord } from 'aws-lambda';
import { canonicalText } from '../../core/identity.ts';
import { plain } from '../plain.ts';
import type { RecordSource } from './source.ts';

/** SQS. A redrive from the dead-letter queue, or a second send, changes the message id: use a business key. */
export const sqs: RecordSource<SQSRecord> = {
  ...plain,
  name: 'sqs',
  matches: (record) => isText((record as SQSRecord | null)?.messageId),
  key: (record) => record.messageId,
  payload: ({ body }) => canonicalText(body) ?? body,
  trace: ({ attributes, messageAttributes }) =>
    attributes?.AWSTraceHeader ?? messageAttributes?.['traceparent']?.stringValue,
  identify: (record) => record.messageId,
  group: ({ eventSourceARN, attributes }) =>
    isText(eventSourceARN) && eventSourceARN.endsWith('.fifo') ? (attributes?.MessageGroupId ?? '') : undefined,
  received: ({ attributes }) => Number(attributes?.ApproximateReceiveCount) || 0,
};

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
