import { membersOf } from '../members.ts';
import type { RecordKind } from './source.ts';

interface StreamRecord {
  readonly eventName?: string;
  readonly dynamodb?: { readonly Keys?: unknown; readonly NewImage?: unknown; readonly OldImage?: unknown };
}

/** A DynamoDB stream. */
export const dynamoDBStream: RecordKind<StreamRecord> = {
  name: 'dynamodb-stream',
  title: 'a DynamoDB stream',
  matches: (record) => membersOf(record)['eventSource'] === 'aws:dynamodb',
  payload: ({ eventName, dynamodb: { Keys, NewImage, OldImage } = {} }) => ({ eventName, Keys, NewImage, OldImage }),
};
