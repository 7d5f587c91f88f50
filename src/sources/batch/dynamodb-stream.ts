import type { DynamoDBRecord } from 'aws-lambda';
import { writtenOnce } from '../../core/canonical.ts';
import { membersOf } from '../members.ts';
import { plain } from '../plain.ts';
import { kinesis } from './kinesis.ts';
import { type BatchSource, isSequenceNumber, STREAM } from './source.ts';

/** A DynamoDB stream. Its lane is an item, in the table of which it is. */
export const dynamoDBStream: BatchSource<DynamoDBRecord> = {
  ...plain,
  ...STREAM,
  name: 'dynamodb-stream',
  title: 'a DynamoDB stream',
  matches: (record) => membersOf(record)['eventSource'] === 'aws:dynamodb',
  key: ({ eventID }) => eventID,
  payload: ({ eventName, dynamodb: { Keys, NewImage, OldImage } = {} }) => ({ eventName, Keys, NewImage, OldImage }),
  identify: ({ dynamodb }) => (isSequenceNumber(dynamodb?.SequenceNumber) ? dynamodb.SequenceNumber : undefined),
  lane: ({ eventSourceARN = '', dynamodb }) =>
    writtenOnce([eventSourceARN.split('/stream/')[0], dynamodb?.Keys ?? null]),
  words: { ...kinesis.words, mismatch: 'other images: a new record needs a new key' },
};
