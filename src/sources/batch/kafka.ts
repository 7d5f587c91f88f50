import type { MSKRecord } from 'aws-lambda';
import { keyOf } from '../../core/identity.ts';
import { isText, membersOf } from '../members.ts';
import { plain } from '../plain.ts';
import { bytesIn } from './bytes.ts';
import { type BatchSource, COMMON, type Identifier, isOfKafka } from './source.ts';

/** Kafka, of MSK or self-managed. A producer that retries may make another offset: then only a business key tells. */
export const kafka: BatchSource<MSKRecord> = {
  ...plain,
  ...COMMON,
  name: 'kafka',
  title: 'Kafka',
  matches: (record) => {
    const { topic, partition, offset } = membersOf(record);
    return isText(topic) && typeof partition === 'number' && typeof offset === 'number';
  },
  of: (event) => ({
    ...kafka,
    key: (record) => keyIn(clusterOf(event), record),
    identify: (record) => identifierIn(membersOf(membersOf(event)['records']), record),
  }),
  payload: ({ topic, key, value }) => [topic, key ?? null, ...bytesIn(value)],
  identify: () => undefined,
  lane: ({ topic, partition, key }) => [topic, partition, key ?? ''].join('/'),
  isAnswerOptional: true,
  onConflict: 'wait',
  words: {
    key: 'the offset',
    missing: 'the record has no offset: give the option `key`',
    conflict: 'Lambda delivers it again',
    mismatch: 'another value: a new record needs a new key',
  },
};

/** Named as the event names its lists: Lambda knows no other partition. */
function identifierIn(lists: object, { topic, partition, offset }: MSKRecord): Identifier | undefined {
  const name = `${topic}-${partition}`;
  return isCount(offset) && Object.hasOwn(lists, name) ? { partition: name, offset } : undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** What tells one cluster from another: an ARN, or its servers in any order. */
function clusterOf(event: unknown): string {
  if (!isOfKafka(event)) return '';
  const { eventSourceArn, bootstrapServers = '' } = event;
  return eventSourceArn ?? bootstrapServers.split(',').sort().join(',');
}

// Readable where that is short enough for a key. No topic has a slash.
function keyIn(cluster: string, { topic, partition, offset }: MSKRecord): string {
  const place = [cluster, topic, partition, offset].join('/');
  return place.length <= 255 ? place : keyOf(place);
}
