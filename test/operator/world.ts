import { runOnce, type Store, TerminalError } from 'effectively-once';
import { type Fault, faulty } from 'effectively-once/testing';

/** Options of every run here. */
export const CHARGE = { scope: 'charge', lease: '30s' } as const;

/** Leaves a record whose run died with its lease, and `after` of its steps on record. */
export async function crashed(
  store: Store,
  options: { readonly key: string; readonly onUnknown?: 'rerun' | 'refuse'; readonly principal?: string },
): Promise<void> {
  const died = Promise.withResolvers<void>();
  const failing = faulty(store);
  void runOnce({ ...CHARGE, ...options, store: failing }, async ({ step }) => {
    await step('charge', () => ({ chargeId: 'ch_1' }));
    failing.next('update', 'crash' satisfies Fault);
    step('mail', () => 'sent').catch(() => {});
    died.resolve();
    return new Promise(() => {});
  });
  await died.promise;
}

export const completed = (store: Store, key: string, value: unknown, more: object = {}): Promise<unknown> =>
  runOnce({ ...CHARGE, ...more, store, key }, () => value);

export const failed = (store: Store, key: string): Promise<unknown> =>
  runOnce({ ...CHARGE, store, key }, () => Promise.reject(new TerminalError('card declined'))).catch(() => {});

export const released = (store: Store, key: string): Promise<unknown> =>
  runOnce({ ...CHARGE, store, key }, () => Promise.reject(new Error('no answer'))).catch(() => {});
