export type { Met } from './failure.ts';
export type { RetryInfo } from './info.ts';
export { retryInfo } from './info.ts';
export type { Intent, IntentOptions, IntentStorage } from './intent.ts';
export { intent } from './intent.ts';
export type { Duration, Retry, RetryingOptions } from './options.ts';
export { retrying } from './retrying.ts';
