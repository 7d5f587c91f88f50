import { textOf } from './errors.ts';
import { CHANNEL, type IdempotencyEvent } from './events.ts';

/**
 * Calls `listener` with every event of this process, until the function that it returns is called. A listener that throws, or
 * whose promise is rejected, causes a process warning and does not affect the request.
 *
 * Events are published on the `node:diagnostics_channel` `effectively-once`, too.
 *
 * @example
 * const unsubscribe = subscribe((event) => {
 *   if (event.type === 'unsure') logger.warn('look into this record', { id: event.id, why: event.why });
 * });
 */
export function subscribe(listener: (event: IdempotencyEvent) => unknown): () => void {
  const listen = async (event: unknown): Promise<void> => {
    try {
      await listener(event as IdempotencyEvent);
    } catch (error) {
      process.emitWarning(`a listener threw ${textOf(error)}`, 'IdempotencyWarning');
    }
  };
  CHANNEL.subscribe(listen);
  return () => void CHANNEL.unsubscribe(listen);
}
