import { misuse } from '../core/errors.ts';
import { dynamoDBStream } from './batch/dynamodb-stream.ts';
import { kafka } from './batch/kafka.ts';
import { kinesis } from './batch/kinesis.ts';
import { type RecordKind, recordsIn } from './batch/source.ts';
import { sqs } from './batch/sqs.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

/** Whole batches, for the doors that take an event as one: only under a key of the user's. */
export const BATCHED = [sqs, kinesis, dynamoDBStream, kafka].map((kind) => whole(kind as RecordKind<unknown>));

function whole({ name, title, matches, payload }: RecordKind<unknown>): EventSource<unknown> {
  return {
    ...plain,
    name,
    matches: (event) => {
      const records = recordsIn(event);
      return records.length > 0 && records.every(matches);
    },
    key: () => {
      throw misuse(
        `an event of ${title} holds a batch of records: use \`idempotentBatch\`, or give \`key\` to take it as one`,
      );
    },
    payload: (event) => recordsIn(event).map(payload),
    formerPayload: (event) => event,
    words: {
      ...plain.words,
      missing: 'the option `key` gave none',
      conflict: 'Lambda delivers the batch again',
      mismatch: 'other records: another batch needs another key',
    },
  };
}
