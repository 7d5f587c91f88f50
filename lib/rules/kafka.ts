import { RETRY_RULES, type RetryFacts } from './retries.ts';
import { atMost, type Rule } from './rule.ts';

/** Records of Kafka, and their consumer. */
export interface KafkaFacts extends RetryFacts {
  readonly provisionedPollers?: 'set' | 'not set';
  /** What the environment of an idempotent function says of `IDEMPOTENCY_PARTIAL_FAILURES`. */
  readonly toldOfPartialFailures?: string;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html */
const MOST_TIMEOUT_S = 14 * 60;

export const KAFKA_RULES: readonly Rule<KafkaFacts>[] = [
  {
    id: 'provisioned-pollers',
    judge: ({ provisionedPollers }) =>
      provisionedPollers === 'not set'
        ? '`provisionedPollerConfig` is not set; expected one: without it Lambda ignores which records have failed, retries and their limits'
        : undefined,
  },
  ...RETRY_RULES,
  {
    id: 'partial-failures-told',
    judge: ({ toldOfPartialFailures: told, provisionedPollers, reportBatchItemFailures }) => {
      if (told === undefined) return undefined;
      const isHeard = provisionedPollers !== 'not set' && reportBatchItemFailures !== false;
      if (isHeard && told !== 'true') {
        return `\`IDEMPOTENCY_PARTIAL_FAILURES\` is ${told}; expected true: otherwise a failed record brings back its whole batch`;
      }
      return !isHeard && told === 'true'
        ? '`IDEMPOTENCY_PARTIAL_FAILURES` is true; expected that it is not set: Lambda hears nothing of failed records, and would take them for done'
        : undefined;
    },
  },
  atMost('timeout', [
    'timeout',
    () => MOST_TIMEOUT_S,
    's, which is the longest that Lambda waits for a consumer of Kafka',
  ]),
];
