/** What becomes of a call: it has its answer, is sent again, also after it was throttled, or waits for its own in flight. */
export type Verdict = 'answer' | 'retry' | 'throttled' | 'wait';

const RETRIED: Readonly<Record<number, Verdict>> = {
  408: 'retry',
  425: 'retry',
  429: 'throttled',
  500: 'retry',
  502: 'retry',
  503: 'retry',
  504: 'retry',
};

/**
 * What an answer means for its call. `shouldRetry`: the words of `Stripe-Should-Retry` and `transient-error`; where they disagree,
 * it should not. `retryAfter`: ms, if it says so. `isInFlight`: whether its body says that a request with this key is under way.
 */
export function verdictOf(
  status: number,
  shouldRetry: string,
  retryAfter: number | undefined,
  isInFlight: boolean,
): Verdict {
  if (status < 400 || /false/i.test(shouldRetry)) return 'answer';
  const isTold = /true/i.test(shouldRetry);
  if (isInFlight || (status === 409 && (isTold || retryAfter !== undefined))) return 'wait';
  return RETRIED[status] ?? (isTold ? 'retry' : 'answer');
}

/** Whether nobody knows what became of a request that was answered so. */
export function isUndecided(status: number): boolean {
  return status in RETRIED;
}
