import { dynamoDBStore, type HandlerOptions, IdempotencyError, idempotent, runOnce } from '../../src/index.ts';
import { earlyTimeout, idempotency } from '../../src/middy/index.ts';
import type { Event, Library, Operation } from './library.ts';

export const ours: Library = {
  name: 'effectively-once',
  earlyTimeout,
  passingError: () => new IdempotencyError('LEASE_LOST', 'of an inner operation'),
  open({ client, tableName, hasCache = false }) {
    const store = dynamoDBStore({ client, tableName, ...(!hasCache && { cache: false }) });
    return {
      handler: (operation, handler) => idempotent(async (event, context) => handler(event, context), of(operation)),
      middleware: (operation) => idempotency<Event>(of(operation)),
      function: ({ scope = 'orders' }, fn) => ({
        enter: () => {},
        call: (event) =>
          runOnce({ store, scope, key: event.orderId as string, payload: event.payload, lease: '30s' }, () =>
            fn(event),
          ),
      }),
    };

    function of({
      scope = 'orders',
      key = ['orderId'],
      retentionSeconds,
      mayLackKey,
    }: Operation): HandlerOptions<Event> {
      return {
        store,
        scope,
        key: (event) => event[key.at(-1) as keyof Event] as string,
        ...(key.length === 2 && { principal: ({ userId }) => userId }),
        ...(retentionSeconds && { retention: retentionSeconds * 1_000 }),
        ...(mayLackKey && { onMissingKey: 'run' }),
      };
    }
  },
};
