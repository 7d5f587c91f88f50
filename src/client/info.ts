export interface RetryInfo {
  /** How many requests were sent. */
  readonly attempts: number;
  /** Whether the server answered from its record (`Idempotent-Replayed`). */
  readonly replayed: boolean;
  /** The `Idempotency-Key` that was sent, without quotes. */
  readonly key: string | undefined;
  /** False: it could not be sent again, since it had no key, or its body was a stream. */
  readonly replayable: boolean;
}

type Known = Omit<RetryInfo, 'replayed'>;

/** Of a response that `retrying` returned; `isOpen`: it does not tell what became of the request. */
export const known = new WeakMap<Response, readonly [info: Known, isOpen: boolean]>();

/** What became of the request of a response. Of one that `retrying` did not return, or a clone, only `replayed` is known. */
export function retryInfo(response: Response): RetryInfo {
  const replayed = response.headers.get('idempotent-replayed') === 'true';
  return { attempts: 1, key: undefined, replayable: false, ...known.get(response)?.[0], replayed };
}
