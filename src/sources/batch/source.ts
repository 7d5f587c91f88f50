import { membersOf } from '../members.ts';
import type { EventSource } from '../source.ts';

/** Records of a kind: what the content of one is, and nothing that belongs to its delivery. */
export interface RecordKind<R> extends Pick<EventSource<R>, 'name' | 'matches' | 'payload'> {
  /** For messages. */
  readonly title: string;
}

/** A source of records: also says how a record is reported, and which records keep their order. */
export interface RecordSource<R> extends EventSource<R>, RecordKind<R> {
  /** AWS's `itemIdentifier`. */
  readonly identify: (record: R) => string;
  /** Records of one group run one after the other, and stop at a failure. */
  readonly group: (record: R) => string | undefined;
  /** How often it was received, as far as its source says. */
  readonly received: (record: R) => number;
}

/** The records of an event; Kafka has them by topic and partition, and a pipe sends nothing but them. */
export function recordsIn(event: unknown): readonly unknown[] {
  if (Array.isArray(event)) return event;
  const { Records: list, records: byPartition, eventSource } = membersOf(event);
  if (Array.isArray(list)) return list;
  return eventSource === 'aws:kafka' || eventSource === 'SelfManagedKafka'
    ? Object.values(membersOf(byPartition)).flat()
    : [];
}
