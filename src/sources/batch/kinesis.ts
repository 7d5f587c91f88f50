import type { KinesisStreamRecord } from 'aws-lambda';
import { membersOf } from '../members.ts';
import { plain } from '../plain.ts';
import { bytesIn } from './bytes.ts';
import { type BatchSource, isSequenceNumber, STREAM } from './source.ts';

/** Kinesis. A producer that retries makes another sequence number, and so another event id: then only a business key tells. */
export const kinesis: BatchSource<KinesisStreamRecord> = {
  ...plain,
  ...STREAM,
  name: 'kinesis',
  title: 'Kinesis',
  matches: (record) => {
    const { eventSource, kinesis } = membersOf(record);
    return eventSource === 'aws:kinesis' && typeof membersOf(kinesis)['partitionKey'] === 'string';
  },
  key: ({ eventID }) => eventID,
  payload: ({ kinesis: { partitionKey, data } }) => [partitionKey, ...bytesIn(data)],
  identify: ({ kinesis: { sequenceNumber } }) => (isSequenceNumber(sequenceNumber) ? sequenceNumber : undefined),
  lane: ({ kinesis: { partitionKey } }) => partitionKey,
  words: {
    key: 'the event id',
    missing: 'the record has no event id: give the option `key`',
    conflict: 'the stream delivers it again',
    mismatch: 'other data: a new record needs a new key',
  },
};
