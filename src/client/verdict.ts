/**
 * What becomes of a call: it has its answer, or one that does not tell what was done, is sent again, also after it was throttled, or
 * waits for its own in flight.
 */
export type Verdict = 'answer' | 'unknown' | 'retry' | 'throttled' | 'wait';

const IN_FLIGHT = /^urn:effectively-once:(conflict|lease-lost) | idempotency_key_in_use /;
const UNKNOWN = /^urn:effectively-once:outcome-unknown /;

/**
 * What an answer means for its call. `shouldRetry`: the words of `Stripe-Should-Retry` and `transient-error`; where they disagree,
 * it should not. `retryAfter`: ms, if it says so. `marks`: our problem type, Stripe's error code and Adyen's, which also comes with
 * a 422.
 */
export function verdictOf(status: number, shouldRetry: string, retryAfter: number | undefined, marks: string): Verdict {
  if (status < 400 || /false/i.test(shouldRetry)) return 'answer';
  const isTold = /true/i.test(shouldRetry);
  if (/ 704$/.test(marks)) return 'wait';
  if (status === 409) {
    if (isTold || retryAfter !== undefined || IN_FLIGHT.test(marks)) return 'wait';
    return UNKNOWN.test(marks) ? 'unknown' : 'answer';
  }
  if (status === 429) return 'throttled';
  return isTold || isUndecided(status) ? 'retry' : 'answer';
}

/** Whether nobody knows what became of a request that was answered so. */
export function isUndecided(status: number): boolean {
  return /^(408|425|429|50[0234])$/.test(`${status}`);
}
