import { setTimeout as sleep } from 'node:timers/promises';
import { isIdempotencyError } from 'effectively-once';
import { chargeOnce } from './run-once.ts';

/** Comes back while another run is under way, for three times. */
export async function chargePatiently(order: { id: string; amount: number }, tries = 3) {
  try {
    return await chargeOnce(order);
  } catch (error) {
    if (!isIdempotencyError(error) || !error.retryable || tries <= 1) throw error;
    await sleep(error.retryAfterMs);
    return chargePatiently(order, tries - 1);
  }
}
