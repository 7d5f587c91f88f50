import { isText, membersOf } from '../members.ts';
import { bytesIn } from './bytes.ts';
import type { RecordKind } from './source.ts';

interface KinesisRecord {
  readonly kinesis: { readonly partitionKey: string; readonly data: string };
}

/** Kinesis. A producer that retries makes another sequence number. */
export const kinesis: RecordKind<KinesisRecord> = {
  name: 'kinesis',
  title: 'Kinesis',
  matches: (record) => {
    const { eventSource, kinesis } = membersOf(record);
    return eventSource === 'aws:kinesis' && isText(membersOf(kinesis)['partitionKey']);
  },
  payload: ({ kinesis: { partitionKey, data } }) => [partitionKey, ...bytesIn(data)],
};
