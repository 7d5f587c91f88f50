import { membersOf } from '../members.ts';
import type { EventSource } from '../source.ts';

/** Records of a kind: what the content of one is, and nothing that belongs to its delivery. */
export interface RecordKind<R> extends Pick<EventSource<R>, 'name' | 'matches' | 'payload'> {
  /** For messages. */
  readonly title: string;
}

/** AWS's `itemIdentifier`: names a record in the answer to its batch. */
export type Identifier = string | { readonly partition: string; readonly offset: number };

/** A source of batches: how a record is keyed, ordered and reported. */
export interface BatchSource<R> extends EventSource<R>, RecordKind<R> {
  /** Undefined: it has none, so that nothing can be reported of it. */
  readonly identify: (record: R) => Identifier | undefined;
  /** Records of one lane run one after the other, and stop at a failure; undefined: one that stands alone. */
  readonly lane: (record: R) => string | undefined;
  /** How often it was received, as far as its source says. */
  readonly received: (record: R) => number;
  /** Which of the failed are reported. */
  readonly reported: (failed: readonly Identifier[]) => readonly Identifier[];
  /** Whether a record is delivered again after such a report. */
  readonly comesAgain: (identifier: Identifier, reported: readonly Identifier[]) => boolean;
  /** Lambda hears the answer only if the event source mapping is made so: unless the environment says that it is, a failure throws. */
  readonly isAnswerOptional?: true;
  /** The source of one event, where a record does not say all. */
  readonly of?: (event: unknown) => BatchSource<R>;
}

/** What most sources say. */
export const COMMON = {
  received: () => 0,
  reported: (failed: readonly Identifier[]) => failed,
  comesAgain: (identifier: Identifier, reported: readonly Identifier[]) =>
    reported.some((one) => nameOf(one) === nameOf(identifier)),
};

/** Of a stream, whose checkpoint is the lowest: all from there on comes again. They are decimals of any length. */
export const STREAM = {
  ...COMMON,
  reported: (failed: readonly Identifier[]) => failed.toSorted(byNumber).slice(0, 1),
  comesAgain: (identifier: Identifier, [lowest]: readonly Identifier[]) =>
    lowest !== undefined && byNumber(identifier, lowest) >= 0,
  onConflict: 'wait',
} as const;

function byNumber(a: Identifier, b: Identifier): number {
  const difference = BigInt(nameOf(a)) - BigInt(nameOf(b));
  return difference < 0n ? -1 : Number(difference > 0n);
}

/** For logs, and to tell one from another. */
export function nameOf(identifier: Identifier): string {
  return typeof identifier === 'string' ? identifier : `${identifier.partition}:${identifier.offset}`;
}

/** Whether a text is a sequence number of a stream. */
export function isSequenceNumber(value: unknown): value is string {
  return typeof value === 'string' && /^\d+$/.test(value);
}

/** The records of an event; Kafka has them by topic and partition, and a pipe sends nothing but them. */
export function recordsIn(event: unknown): readonly unknown[] {
  if (Array.isArray(event)) return event;
  const { Records: list } = membersOf(event);
  if (Array.isArray(list)) return list;
  return isOfKafka(event) ? Object.values(membersOf(event.records)).flat() : [];
}

/** An event of Kafka: lists of records, each under its topic and partition. */
export interface KafkaEvent {
  readonly eventSource: string;
  readonly eventSourceArn?: string;
  readonly bootstrapServers?: string;
  readonly records: Readonly<Record<string, readonly unknown[]>>;
}

export function isOfKafka(event: unknown): event is KafkaEvent {
  const { eventSource, records } = membersOf(event);
  return (eventSource === 'aws:kafka' || eventSource === 'SelfManagedKafka') && records === Object(records);
}
