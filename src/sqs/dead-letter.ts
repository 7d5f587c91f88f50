import type { MessageAttributeValue, SendMessageCommandInput } from '@aws-sdk/client-sqs';
import type { SQSMessageAttribute, SQSRecord } from 'aws-lambda';
import { textOf } from '../core/errors.ts';
import { derivedKey } from '../core/identity.ts';
import type { Failure } from '../run/records.ts';

/** Of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html. */
const MOST_ATTRIBUTES = 10;
const MOST_BYTES = 1024 * 1024;

/** Characters. */
const LONGEST_REASON = 500;

/** The message that a dead-letter queue gets, and what had no room in it. */
export interface DeadLetter {
  readonly input: SendMessageCommandInput;
  readonly unsaid: Readonly<Record<string, string>>;
}

/** The message as it came, with the id of its record and the reason as far as SQS takes them. */
export function deadLetterOf(record: SQSRecord, { error, id = '' }: Failure, QueueUrl: string): DeadLetter {
  const { body, attributes } = record;
  const original = Object.entries(record.messageAttributes ?? {}).map(
    ([name, value]) => [name, attributeOf(value)] as const,
  );
  const MessageAttributes: Record<string, MessageAttributeValue> = Object.fromEntries(original);
  const isOurs = MessageAttributes['record-id']?.StringValue === id;
  const unsaid: Record<string, string> = {};
  let bytes = Buffer.byteLength(body) + original.reduce((sum, [name, value]) => sum + bytesOf(name, value), 0);
  for (const [name, text] of [
    ['record-id', id],
    ['reason', reasonOf(error)],
  ] as const) {
    const attribute = { DataType: 'String', StringValue: text };
    // What is there already is ours if the message has been a dead letter before.
    const hasRoom = name in MessageAttributes ? isOurs : Object.keys(MessageAttributes).length < MOST_ATTRIBUTES;
    if (hasRoom && bytes + bytesOf(name, attribute) <= MOST_BYTES) {
      bytes += bytesOf(name, attribute);
      MessageAttributes[name] = attribute;
    } else unsaid[name] = text;
  }
  const MessageDeduplicationId = derivedKey(id, 'dead-letter');
  const { AWSTraceHeader: trace, MessageGroupId = MessageDeduplicationId } = attributes ?? {};
  return {
    unsaid,
    input: {
      QueueUrl,
      MessageBody: body,
      MessageAttributes,
      ...(trace && { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: trace } } }),
      // Sent twice within five minutes, it comes once.
      ...(QueueUrl.endsWith('.fifo') && { MessageGroupId, MessageDeduplicationId }),
    },
  };
}

function attributeOf({ dataType, stringValue, binaryValue }: SQSMessageAttribute): MessageAttributeValue {
  return binaryValue === undefined || binaryValue === null
    ? { DataType: dataType, StringValue: stringValue ?? '' }
    : { DataType: dataType, BinaryValue: Buffer.from(binaryValue, 'base64') };
}

function bytesOf(name: string, { DataType = '', StringValue, BinaryValue }: MessageAttributeValue): number {
  return Buffer.byteLength(name) + DataType.length + Buffer.byteLength(StringValue ?? BinaryValue ?? '');
}

// SQS takes neither an empty text nor one with control characters, U+FFFE or U+FFFF.
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : textOf(error);
  return (
    text
      .toWellFormed()
      .replace(/[\p{Cc}\ufffe\uffff]+/gu, ' ')
      .slice(0, LONGEST_REASON)
      .toWellFormed() || 'unknown'
  );
}
