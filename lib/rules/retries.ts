import { atLeast, type Rule, within } from './rule.ts';

/** A consumer of records in order: what fails is tried again at once, and holds up what is behind it. Durations in seconds. */
export interface RetryFacts {
  readonly timeout?: number;
  readonly reportBatchItemFailures?: boolean;
  readonly bisectBatchOnError?: boolean;
  readonly onFailure?: 'set' | 'not set';
  /** -1: without end. */
  readonly retryAttempts?: number;
  /** -1: of any age. */
  readonly maxRecordAge?: number;
  /** How long outcomes are kept. */
  readonly retention?: number;
  /** How long the source keeps a record. */
  readonly sourceRetention?: number;
}

/** A run that crashed at once holds its lease for two of them. */
const LEAST_RETRIES = 3;
const MOST_RETRIES = 10_000;

/** Lambda takes no more and no less: 1 minute, 7 days. */
export const LEAST_AGE_S = 60;
export const MOST_AGE_S = 604_800;

/** https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html, and of Kafka kafka-on-failure.html */
export const RETRY_RULES: readonly Rule<RetryFacts>[] = [
  {
    id: 'partial-failures',
    judge: ({ reportBatchItemFailures }) =>
      reportBatchItemFailures === false
        ? '`reportBatchItemFailures` is false; expected true: otherwise all records of a batch come again'
        : undefined,
  },
  {
    id: 'bisect',
    judge: ({ bisectBatchOnError }) =>
      bisectBatchOnError === false
        ? '`bisectBatchOnError` is false; expected true: otherwise a record that crashes the function takes its whole batch with it'
        : undefined,
  },
  {
    id: 'on-failure',
    judge: ({ onFailure }) =>
      onFailure === 'not set'
        ? '`onFailure` is not set; expected a destination: what Lambda gives up is known nowhere else'
        : undefined,
  },
  within('retry-attempts', [
    'retryAttempts',
    () => [LEAST_RETRIES, MOST_RETRIES],
    ': a record that always fails is in the way until they are used up, and one whose run crashed waits for its lease',
  ]),
  within('record-age', [
    'maxRecordAge',
    ({ timeout = 0 }) => [Math.max(LEAST_AGE_S, 2 * timeout), MOST_AGE_S],
    's: a record whose run crashed waits for its lease, and none is tried for ever',
  ]),
  atLeast('retention', [
    'retention',
    (facts) => facts.sourceRetention && facts.sourceRetention + retriesLast(facts),
    's: as long as a record is kept at its source, and tried again',
  ]),
];

/** Seconds for which a record may be tried again: until its retries are used up, or it is too old. */
export function retriesLast({ timeout = 0, retryAttempts = 0, maxRecordAge = -1 }: RetryFacts): number {
  const byAge = maxRecordAge < 0 ? Number.POSITIVE_INFINITY : maxRecordAge;
  const byCount = retryAttempts < 0 ? Number.POSITIVE_INFINITY : timeout * (retryAttempts + 1);
  const seconds = Math.min(byAge, byCount);
  return Number.isFinite(seconds) ? seconds : 0; // until the source has forgotten it
}
