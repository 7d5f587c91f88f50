import type { EventSource } from './source.ts';

/** An event of no known source: the key is the user's to give, the payload is all of it. */
export const plain: EventSource<any> = {
  name: 'plain',
  matches: () => true,
  read: (event) => event,
  operation: () => [],
  key: () => undefined,
  isNatural: () => false,
  isExempt: () => false,
  principal: () => undefined,
  payload: (event) => event,
  formerPayload: () => undefined,
  trace: () => undefined,
  isOutcome: () => true,
  finish: (value) => value,
  replay: (value) => value,
  words: {
    key: 'the option `key`',
    missing:
      'give the option `key`, as the event is of no known source (API Gateway REST, HTTP and WebSocket, function URL, ALB, ' +
      'VPC Lattice, AppSync, EventBridge, SNS, S3; with `idempotentBatch` SQS)',
    conflict: 'try again after `retryAfterMs`',
    mismatch: 'another event: the option `fingerprint` says which part of it must not change',
  },
};
