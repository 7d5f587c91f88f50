import { atLeast, atMost, type Rule } from './rule.ts';

/** Records of Kinesis or of a DynamoDB stream, and their consumer. */
export interface StreamFacts {
  readonly reportBatchItemFailures?: boolean;
  readonly tumblingWindow?: number;
  /** How long outcomes are kept, in seconds. */
  readonly retention?: number;
  /** How long the stream keeps a record, in seconds. */
  readonly streamRetention?: number;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html */
export const STREAM_RULES: readonly Rule<StreamFacts>[] = [
  {
    id: 'partial-failures',
    judge: ({ reportBatchItemFailures }) =>
      reportBatchItemFailures === false
        ? '`reportBatchItemFailures` is false; expected true: otherwise all records of a batch come again'
        : undefined,
  },
  atMost('tumbling-window', ['tumblingWindow', () => 0, ' s: a window adds up, and what is added twice counts twice']),
  atLeast('retention', [
    'retention',
    ({ streamRetention }) => streamRetention,
    's: as long as the stream keeps a record',
  ]),
];
