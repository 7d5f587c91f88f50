import { RETRY_RULES, type RetryFacts } from './retries.ts';
import { atMost, type Rule } from './rule.ts';

/** Records of Kinesis or of a DynamoDB stream, and their consumer. */
export interface StreamFacts extends RetryFacts {
  readonly tumblingWindow?: number;
}

export const STREAM_RULES: readonly Rule<StreamFacts>[] = [
  ...RETRY_RULES,
  atMost('tumbling-window', ['tumblingWindow', () => 0, ' s: a window adds up, and what is added twice counts twice']),
];
