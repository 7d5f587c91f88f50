import { isIdempotencyError } from 'effectively-once';
import { chargeOnce } from './run-once.ts';

/** The charge, or what its caller is to do. */
export async function chargeOrSay(order: { id: string; amount: number }) {
  try {
    return { charge: await chargeOnce(order) };
  } catch (error) {
    if (!isIdempotencyError(error)) throw error; // the provider's, as it is
    if (error.retryable) return { comeBackAfterMs: error.retryAfterMs };
    return { refused: error.code, record: error.id };
  }
}
