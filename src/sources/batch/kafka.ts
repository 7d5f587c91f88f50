import type { MSKRecord } from 'aws-lambda';
import { keyOf } from '../../core/identity.ts';
import { isText, membersOf } from '../members.ts';
import { plain } from '../plain.ts';
import { bytesIn } from './bytes.ts';
import { type BatchSource, COMMON, type Identifier, isOfKafka } from './source.ts';

/** Kafka, of MSK or self-managed. A producer that retries may make another offset, and a topic that is recreated makes the same ones again. */
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
    missing: 'the event does not name its cluster: give the option `key`',
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

/** What tells one cluster from another: an ARN, or its servers in any order; undefined: nothing. */
function clusterOf(event: unknown): string | undefined {
  if (!isOfKafka(event)) return undefined;
  const { eventSourceArn, bootstrapServers = '' } = event;
  if (isText(eventSourceArn)) return eventSourceArn;
  const servers = bootstrapServers.split(',').map((server) => server.trim());
  return [...new Set(servers)].sort().join(',') || undefined;
}

// Readable where that is short enough for a key. No topic has a slash.
function keyIn(cluster: string | undefined, { topic, partition, offset }: MSKRecord): string | undefined {
  if (cluster === undefined) return undefined;
  const place = [cluster, topic, partition, offset].join('/');
  return place.length <= 255 ? place : keyOf(place);
}
