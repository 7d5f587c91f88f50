import { subscribe } from 'node:diagnostics_channel';
import { parentPort, workerData } from 'node:worker_threads';
import type { IdempotencyEvent } from 'effectively-once';

/** What the worker is sent. */
export interface Invocation {
  readonly event: unknown;
  /** Epoch ms at which the function times out. */
  readonly deadline: number;
}

/** What it answers: events at any time, then one result or error. */
export type Report =
  | { readonly kind: 'event'; readonly event: Pick<IdempotencyEvent, 'type' | 'scope' | 'id'> }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly message: string };

const report = (message: Report): void => parentPort?.postMessage(message);

subscribe('effectively-once', (message) => {
  const { type, scope, id } = message as IdempotencyEvent;
  report({ kind: 'event', event: { type, scope, id } });
});

const { handler } = await import(workerData.entry);

parentPort?.on('message', async ({ event, deadline }: Invocation) => {
  const context = { functionName: workerData.name, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    report({ kind: 'result', value: await handler(event, context) });
  } catch (error) {
    report({ kind: 'error', message: String(error) });
  }
});
