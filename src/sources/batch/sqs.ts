import type { SQSRecord } from 'aws-lambda';
import { canonicalText } from '../../core/identity.ts';
import { plain } from '../plain.ts';
import type { EventSource } from '../source.ts';

/** Records of an event source mapping: besides identity, how one is reported and what must stay in order. */
export interface RecordSource<R> extends EventSource<R> {
  /** AWS's `itemIdentifier`. */
  readonly identify: (record: R) => string;
  /** Records of one group run one after the other, and none after a failure. */
  readonly group: (record: R) => string | undefined;
}

/** SQS. The message id survives redelivery, but not a redrive from the dead-letter queue or a second send: use a business key. */
export const sqs: RecordSource<SQSRecord> = {
  ...plain,
  matches: (record) => isText((record as SQSRecord | null)?.messageId),
  key: (record) => record.messageId,
  payload: ({ body }) => canonicalText(body) ?? body,
  identify: (record) => record.messageId,
  group: ({ eventSourceARN, attributes }) =>
    isText(eventSourceARN) && eventSourceARN.endsWith('.fifo') ? (attributes?.MessageGroupId ?? '') : undefined,
};

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
