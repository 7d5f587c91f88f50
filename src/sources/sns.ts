import { contentOfNotification, type Notification } from './envelope.ts';
import { isText, membersOf } from './members.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

interface SnsEvent {
  readonly Records: readonly [{ readonly Sns: Notification & { readonly MessageAttributes?: unknown } }];
}

/** SNS, which sends one message in an event. A producer that publishes again makes another message id. */
export const sns: EventSource<SnsEvent> = {
  ...plain,
  name: 'sns',
  matches: (event) => {
    const { Records: records } = membersOf(event);
    return Array.isArray(records) && records.length === 1 && isSns(records[0]);
  },
  key: ({ Records: [{ Sns }] }) => contentOfNotification(Sns).id,
  payload: ({ Records: [{ Sns }] }) => contentOfNotification(Sns).payload,
  formerPayload: (event) => event,
  trace: ({ Records: [{ Sns }] }) => {
    const { AWSTraceHeader, traceparent } = membersOf(Sns.MessageAttributes);
    return membersOf(AWSTraceHeader)['Value'] ?? membersOf(traceparent)['Value'];
  },
  words: {
    key: 'the message id',
    missing: 'the message has no id: give the option `key`',
    conflict: 'SNS delivers the message again',
    mismatch: 'another message: a new one needs a new key',
  },
};

function isSns(record: unknown): boolean {
  const { EventSource: source, Sns } = membersOf(record);
  const { MessageId, TopicArn, Message } = membersOf(Sns);
  return source === 'aws:sns' && isText(MessageId) && isText(TopicArn) && typeof Message === 'string';
}
