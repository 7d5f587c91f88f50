import { isText, membersOf } from './members.ts';
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
  words: {
    key: 'the id of the event',
    missing: 'the event has no id: give the option `key`',
    conflict: 'EventBridge delivers the event again',
    mismatch: 'another source, detail type or detail: a new event needs a new key',
  },
};

const ENVELOPE = ['version', 'id', 'detail-type', 'source', 'account', 'time', 'region'];

/** Whether a value is an event as EventBridge delivers it, with all that it adds. */
export function isEventBridgeEvent(value: unknown): value is EventBridgeEvent {
  const members = membersOf(value);
  return ENVELOPE.every((name) => isText(members[name])) && typeof members['detail'] === 'object';
}
