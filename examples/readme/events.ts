import { subscribe } from 'effectively-once';

/** A line for every record that somebody should look into, and one for every duplicate that was stopped. */
export const unsubscribe = subscribe((event) => {
  const { type, scope, requestId } = event;
  if (type === 'unsure') console.warn(JSON.stringify({ type, scope, requestId, id: event.id, why: event.why }));
  if (type === 'replayed') console.info(JSON.stringify({ type, scope, requestId, id: event.id }));
});
