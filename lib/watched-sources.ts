import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Watched } from './idempotency-metrics.ts';
import { IdempotentKafkaConsumer } from './idempotent-kafka-consumer.ts';
import { IdempotentQueueConsumer } from './idempotent-queue-consumer.ts';
import { IdempotentStreamConsumer } from './idempotent-stream-consumer.ts';

/** What is measured of the source of a consumer. */
export interface SourceMetrics {
  readonly depth?: cloudwatch.Metric;
  readonly age?: cloudwatch.Metric;
  readonly iteratorAge?: cloudwatch.Metric;
  readonly offsetLag?: cloudwatch.Metric;
  /** Absent: they go where only the user knows. */
  readonly deadLetters?: cloudwatch.Metric | undefined;
}

/** Undefined: it has no source of ours. */
export function sourceMetricsOf(watched: Watched): SourceMetrics | undefined {
  if (watched instanceof IdempotentQueueConsumer) {
    return {
      depth: watched.metricQueueDepth(),
      age: watched.metricOldestMessageAge(),
      deadLetters: watched['deadLetters'] && watched.metricDeadLetters(),
    };
  }
  if (watched instanceof IdempotentStreamConsumer) {
    return {
      iteratorAge: watched.metricIteratorAge(),
      deadLetters: watched.onFailureQueue && watched.metricDeadLetters(),
    };
  }
  if (watched instanceof IdempotentKafkaConsumer) {
    return { offsetLag: watched.metricOffsetLag(), deadLetters: watched.onFailureQueue && watched.metricDeadLetters() };
  }
  return undefined;
}
