export { type RetryAfter, type SqsRedelivery, type SqsRedeliveryOptions, sqsRedelivery } from './redelivery.ts';
