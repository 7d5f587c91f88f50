import type { DynamoDBRecord, KinesisStreamRecord, MSKRecord, SQSRecord } from 'aws-lambda';
import type { BatchRecord } from 'effectively-once';
import { sqsRecord } from './ways.ts';

/** What a test says of a record. */
interface Said {
  /** Its place: a later one has a higher number. */
  readonly at: number;
  readonly lane?: string;
  readonly value?: unknown;
}

/** A source of batches, as its events arrive. */
export interface Source {
  readonly name: string;
  readonly record: (said: Said) => any;
  readonly event: (records: readonly BatchRecord[]) => any;
  readonly lane: (record: any) => string;
  readonly valueOf: (record: any) => unknown;
  readonly identifier: (record: any) => unknown;
}

const ARN = 'arn:aws:kinesis:eu-central-1:123456789012:stream/trips';
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
const fromBase64 = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64').toString());
/** Longer than a double can tell apart, and of more than one length. */
const sequence = (at: number): string => `${99_999_999_999_999_990_000n + BigInt(at) * 3n}`;

export const fifo: Source = {
  name: 'SQS FIFO',
  record: ({ at, lane = 'a', value = at }): SQSRecord =>
    sqsRecord(JSON.stringify(value), {
      messageId: `message-${at}`,
      eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:orders.fifo',
      attributes: { ...sqsRecord('').attributes, MessageGroupId: lane },
    }),
  event: (Records) => ({ Records }),
  lane: ({ attributes }: SQSRecord) => attributes.MessageGroupId ?? '',
  valueOf: ({ body }: SQSRecord) => JSON.parse(body),
  identifier: ({ messageId }: SQSRecord) => messageId,
};

export const kinesis: Source = {
  name: 'Kinesis',
  record: ({ at, lane = 'a', value = at }): KinesisStreamRecord => ({
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: lane,
      sequenceNumber: sequence(at),
      data: base64(value),
      approximateArrivalTimestamp: Date.now() / 1_000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `shardId-000000000000:${sequence(at)}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::123456789012:role/trips',
    awsRegion: 'eu-central-1',
    eventSourceARN: ARN,
  }),
  event: (Records) => ({ Records }),
  lane: ({ kinesis }: KinesisStreamRecord) => kinesis.partitionKey,
  valueOf: ({ kinesis }: KinesisStreamRecord) => fromBase64(kinesis.data),
  identifier: ({ kinesis }: KinesisStreamRecord) => kinesis.sequenceNumber,
};

export const dynamoDBStream: Source = {
  name: 'a DynamoDB stream',
  record: ({ at, lane = 'a', value = at }): DynamoDBRecord => ({
    eventID: `event-${at}`,
    eventName: 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'eu-central-1',
    dynamodb: {
      Keys: { id: { S: lane } },
      NewImage: { id: { S: lane }, value: { S: JSON.stringify(value) } },
      SequenceNumber: sequence(at),
      SizeBytes: 26,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      ApproximateCreationDateTime: Date.now() / 1_000,
    },
    eventSourceARN: 'arn:aws:dynamodb:eu-central-1:123456789012:table/trips/stream/2026-11-25T00:00:00.000',
  }),
  event: (Records) => ({ Records }),
  lane: ({ dynamodb }: DynamoDBRecord) => dynamodb?.Keys?.['id']?.S ?? '',
  valueOf: ({ dynamodb }: DynamoDBRecord) => JSON.parse(dynamodb?.NewImage?.['value']?.S ?? ''),
  identifier: ({ dynamodb }: DynamoDBRecord) => dynamodb?.SequenceNumber,
};

/** Of MSK; `SelfManagedKafka` differs in how it names its cluster. */
export const kafka: Source = {
  name: 'Kafka',
  record: ({ at, lane = 'a', value = at }): MSKRecord => ({
    topic: 'trips',
    partition: at % 2,
    offset: at,
    timestamp: Date.now(),
    timestampType: 'CREATE_TIME',
    key: base64(lane),
    value: base64(value),
    headers: [{ traceparent: [...Buffer.from('00-1-2-01')] }],
  }),
  event: (records) => ({
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:eu-central-1:123456789012:cluster/trips/0b1c',
    bootstrapServers: 'b-2.trips:9098,b-1.trips:9098',
    records: Object.groupBy(records as MSKRecord[], ({ topic, partition }) => `${topic}-${partition}`),
  }),
  lane: ({ partition, key }: MSKRecord) => `${partition}/${fromBase64(key)}`,
  valueOf: ({ value }: MSKRecord) => fromBase64(value),
  identifier: ({ topic, partition, offset }: MSKRecord) => ({ partition: `${topic}-${partition}`, offset }),
};

export const SOURCES: readonly Source[] = [fifo, kinesis, dynamoDBStream, kafka];
export const STREAMS: readonly Source[] = [kinesis, dynamoDBStream];
