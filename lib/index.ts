export { type ConfigureIdempotencyOptions, configureIdempotency } from './configure-idempotency.ts';
export type { ConsumerProps } from './consumer.ts';
export { CORS_ALLOW_HEADERS, CORS_EXPOSE_HEADERS } from './cors.ts';
export { type GrantIdempotencyOptions, grantIdempotency } from './grant-idempotency.ts';
export { type GrantOperateOptions, grantOperate } from './grant-operate.ts';
export { IdempotencyAudit, type IdempotencyAuditProps } from './idempotency-audit.ts';
export type {
  IdempotencyMetricOptions,
  IdempotencyMetrics,
  RefusalsMetricOptions,
  Watched,
} from './idempotency-metrics.ts';
export { IdempotencyMonitoring, type IdempotencyMonitoringProps } from './idempotency-monitoring.ts';
export { IdempotencyTable, type IdempotencyTableProps } from './idempotency-table.ts';
export { IdempotentFunction, type IdempotentFunctionProps } from './idempotent-function.ts';
export {
  IdempotentKafkaConsumer,
  type IdempotentKafkaConsumerProps,
  type ManagedKafkaCluster,
  type SelfManagedKafkaCluster,
} from './idempotent-kafka-consumer.ts';
export { IdempotentQueueConsumer } from './idempotent-queue-consumer.ts';
export { IdempotentStreamConsumer, type IdempotentStreamConsumerProps } from './idempotent-stream-consumer.ts';
export type { IdempotentQueueConsumerProps } from './queue-consumer-props.ts';
export type { RetryingConsumerProps } from './retries.ts';
export type { TableOperation } from './table-metrics.ts';
