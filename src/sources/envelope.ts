import { canonicalText, losesDigits, writtenOnce } from '../core/canonical.ts';
import { keyFault } from '../core/identity.ts';
import { type EventBridgeEvent, eventBridge, isEventBridgeEvent } from './event-bridge.ts';
import { isText, membersOf } from './members.ts';
import { isS3Event, s3 } from './s3.ts';

/** What somebody else's envelope holds. */
export interface Content {
  /** The id of what is inside; undefined: it has none that can be a key. */
  readonly id: string | undefined;
  readonly payload: unknown;
}

/** What SNS puts around a message, in a queue or (without `Type`) in an event of its own. */
export interface Notification {
  readonly MessageId: string;
  readonly TopicArn: string;
  readonly Message: string;
  readonly Subject?: string | null;
}

/** The content of a notification: of its message, if that is an envelope, too. */
export function contentOfNotification({ MessageId, TopicArn, Message, Subject }: Notification): Content {
  const inner = contentOf(Message);
  const payload = { topic: TopicArn, subject: Subject ?? null, message: canonicalText(Message) ?? Message };
  return inner?.id === undefined ? { id: usable(MessageId), payload: inner?.payload ?? payload } : inner;
}

/** The content of a text that is a whole envelope of SNS, EventBridge or S3 (of one record). Undefined if it is not an envelope. */
export function contentOf(text: unknown): Content | undefined {
  if (typeof text !== 'string' || !LIKE_ENVELOPE.test(text)) return undefined;
  const value = parsed(text);
  if (isNotification(value)) return contentOfNotification(value);
  if (isEventBridgeEvent(value)) return { id: usable(value.id), payload: writtenOnce(payloadOf(text, value)) };
  if (!isS3Event(value) || value.Records.length > 1) return undefined;
  return { id: s3.key(value), payload: writtenOnce(s3.payload(value)) };
}

// Most bodies are not envelopes. This check avoids parsing them.
const LIKE_ENVELOPE = /"(TopicArn|detail-type|aws:s3)"/;

function usable(id: string): string | undefined {
  return keyFault(id) ? undefined : id;
}

function isNotification(value: unknown): value is Notification {
  const { Type, MessageId, TopicArn, Message, Timestamp } = membersOf(value);
  return Type === 'Notification' && [MessageId, TopicArn, Timestamp].every(isText) && typeof Message === 'string';
}

const HUGE_NUMBER = /e\+?\d{3}/i;

/** The payload of an event. Numbers that a double does not hold are compared by their text. */
function payloadOf(text: string, event: EventBridgeEvent): unknown {
  if (!losesDigits(text) && !HUGE_NUMBER.test(text)) return eventBridge.payload(event);
  let isLossy = false;
  const exact = JSON.parse(text, (_, value: unknown, ...[at]: { readonly source: string }[]) => {
    if (typeof value === 'string') return `"${value}`; // no number looks like that
    if (typeof value !== 'number' || !at || (Number.isFinite(value) && !losesDigits(at.source))) return value;
    isLossy = true;
    return at.source;
  });
  return isLossy ? { exact: eventBridge.payload(exact) } : eventBridge.payload(event);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
