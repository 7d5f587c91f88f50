import { parentPort, workerData } from 'node:worker_threads';
import { type IdempotencyEvent, subscribe } from 'effectively-once';

/** What the worker is sent. */
export interface Invocation {
  readonly event: unknown;
  /** Epoch ms at which the function times out. */
  readonly deadline: number;
}

/** What it says: that it is ready; then, for each invocation, events at any time and one result or error. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'event'; readonly event: IdempotencyEvent }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly message: string };

const report = (message: Report): void => parentPort?.postMessage(message);

// Errors cross no thread as they are.
subscribe((event) => report({ kind: 'event', event: JSON.parse(JSON.stringify(event)) }));

const { handler } = await import(workerData.entry);

parentPort?.on('message', async ({ event, deadline }: Invocation) => {
  const context = { functionName: workerData.name, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    report({ kind: 'result', value: await handler(event, context) });
  } catch (error) {
    report({ kind: 'error', message: String(error) });
  }
});

report({ kind: 'ready' });
