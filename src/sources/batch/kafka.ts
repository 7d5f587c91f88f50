import { isText, membersOf } from '../members.ts';
import { bytesIn } from './bytes.ts';
import type { RecordKind } from './source.ts';

interface KafkaRecord {
  readonly topic: string;
  readonly key?: string | null;
  readonly value?: string | null;
}

/** Kafka, of MSK or self-managed. A producer that retries may make another offset. */
export const kafka: RecordKind<KafkaRecord> = {
  name: 'kafka',
  title: 'Kafka',
  matches: (record) => {
    const { topic, partition, offset } = membersOf(record);
    return isText(topic) && typeof partition === 'number' && typeof offset === 'number';
  },
  payload: ({ topic, key, value }) => [topic, key ?? null, ...bytesIn(value)],
};
