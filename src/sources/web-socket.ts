import { callerIn } from './http.ts';
import { contentOfBody } from './http-body.ts';
import { problem } from './http-problem.ts';
import { finished, isOutcome } from './http-response.ts';
import { isText, membersOf } from './members.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

interface WebSocketEvent {
  readonly requestContext: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
}

/** API Gateway WebSocket. Its ids are of the connection and the frame: a client that sends a message again gets others. */
export const webSocket: EventSource<WebSocketEvent> = {
  ...plain,
  name: 'web-socket',
  matches: (event) => {
    const { connectionId, eventType } = membersOf(membersOf(event)['requestContext']);
    return isText(connectionId) && isText(eventType);
  },
  operation: ({ requestContext: { routeKey } }) => [String(routeKey)],
  isNatural: ({ requestContext: { eventType } }) => eventType !== 'MESSAGE', // CONNECT and DISCONNECT
  principal: ({ requestContext }) => callerIn(requestContext),
  payload: ({ body, isBase64Encoded = false }) =>
    contentOfBody({ body, isBase64Encoded, contentType: 'application/json' }),
  isOutcome,
  finish: (value) => finished(value, { isMultiValue: false, infersStatus: false }),
  refuse: async (error) => problem(error, false),
  words: {
    key: 'the option `key`',
    missing: 'give the option `key`, as a WebSocket message carries no key of its own',
    conflict: 'send the message again after a second',
    mismatch: 'another body: give a new message a new key',
  },
};
