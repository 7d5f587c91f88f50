import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

export interface EventBridgeEvent {
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
}

/** EventBridge. The id is the same on every delivery of one event; a producer that retries `PutEvents` makes another. */
export const eventBridge: EventSource<EventBridgeEvent> = {
  ...plain,
  name: 'event-bridge',
  matches: (event) => typeof event === 'object' && event !== null && 'detail-type' in event && 'detail' in event,
  key: (event) => event.id,
  payload: ({ source, 'detail-type': type, detail }) => ({ source, type, detail }),
};
