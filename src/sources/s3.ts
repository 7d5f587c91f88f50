import { keyOf } from '../core/identity.ts';
import { isText, membersOf } from './members.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

export interface S3Event {
  readonly Records: readonly S3Record[];
}

interface S3Record {
  readonly eventName: string;
  readonly eventTime?: string;
  readonly s3: {
    readonly bucket: { readonly name: string };
    /** `key` is form-encoded. */
    readonly object: {
      readonly key: string;
      readonly versionId?: string;
      readonly sequencer?: string;
      readonly eTag?: string;
      readonly size?: number;
    };
  };
}

/** S3 notifications. Their key is made of bucket, object, version (or sequencer) and what was done. */
export const s3: EventSource<S3Event> = {
  ...plain,
  name: 's3',
  matches: (event) => isS3Event(event) || isTest(event),
  key: ({ Records }) => {
    const keys = Records.map(keyOfRecord);
    return keys.includes(undefined) ? undefined : keyOf(...keys);
  },
  isExempt: isTest,
  payload: ({ Records }) => Records.map(payloadOfRecord),
  formerPayload: (event) => event,
  words: {
    key: 'the key of the notification',
    missing: 'the notification has neither version nor sequencer: give the option `key`',
    conflict: 'Lambda invokes the function again',
    mismatch: 'another object, or another content of it: another notification needs another key',
  },
};

/** Whether a value is a notification as S3 sends it. */
export function isS3Event(value: unknown): value is S3Event {
  const { Records: records } = membersOf(value);
  return Array.isArray(records) && records.length > 0 && records.every(isS3Record);
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html: compare the major version alone.
function isS3Record(record: unknown): boolean {
  const { eventSource, eventVersion = '2.0', eventName, s3 } = membersOf(record);
  const { bucket, object } = membersOf(s3);
  const isOfVersion2 = eventSource === 'aws:s3' && String(eventVersion).startsWith('2.');
  return isOfVersion2 && isText(eventName) && isText(membersOf(bucket)['name']) && isText(membersOf(object)['key']);
}

/** What S3 sends when notifications are set up. */
function isTest(event: unknown): boolean {
  return membersOf(event)['Event'] === 's3:TestEvent';
}

function keyOfRecord({ eventName, eventTime, s3: { bucket, object } }: S3Record): readonly unknown[] | undefined {
  const { versionId, sequencer } = object;
  const version = versionId === 'null' ? sequencer : (versionId ?? sequencer);
  if (version === undefined) return undefined;
  // A version is created or removed once; its tags, say, change more often, and S3 has a sequencer for few of these.
  const isOnce = /^(s3:)?Object(Created|Removed):/.test(eventName);
  return [bucket.name, decoded(object.key), version, eventName, isOnce ? null : (sequencer ?? eventTime ?? null)];
}

function payloadOfRecord({ eventName, s3: { bucket, object } }: S3Record): unknown {
  const { key, eTag, size } = object;
  return { eventName, bucket: bucket.name, key: decoded(key), eTag, size };
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return key;
  }
}
