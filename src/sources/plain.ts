import type { EventSource } from './source.ts';

/** An event of no known source: the key is the user's to give, the payload is all of it. */
export const plain: EventSource<unknown> = {
  name: 'plain',
  matches: () => true,
  operation: () => [],
  key: () => undefined,
  isNatural: () => false,
  principal: () => undefined,
  payload: (event) => event,
  trace: () => undefined,
  isOutcome: () => true,
  replay: (value) => value,
};
