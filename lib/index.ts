export { type ConfigureIdempotencyOptions, configureIdempotency } from './configure-idempotency.ts';
export { type GrantIdempotencyOptions, grantIdempotency } from './grant-idempotency.ts';
export { IdempotencyAudit, type IdempotencyAuditProps } from './idempotency-audit.ts';
export { IdempotencyTable, type IdempotencyTableProps } from './idempotency-table.ts';
export { IdempotentFunction, type IdempotentFunctionProps } from './idempotent-function.ts';
export { IdempotentQueueConsumer, type IdempotentQueueConsumerProps } from './idempotent-queue-consumer.ts';
