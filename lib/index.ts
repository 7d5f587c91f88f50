export { CORS_ALLOW_HEADERS, CORS_EXPOSE_HEADERS } from './cors.ts';
export {
  type GrantIdempotencyOptions,
  IdempotencyTable,
  type IdempotencyTableProps,
} from './idempotency-table.ts';
export { IdempotentFunction, type IdempotentFunctionProps } from './idempotent-function.ts';
export { IdempotentQueueConsumer, type IdempotentQueueConsumerProps } from './idempotent-queue-consumer.ts';
