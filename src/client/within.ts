import { named } from './failure.ts';

/**
 * Does something, for at most `ms`. Rejects at once when the time is over or the caller aborts, whether or not it looks at its
 * signal. If it gives a Response, the caller's signal rules the body as well.
 *
 * The signal is not made by `AbortSignal.any`, nor left to a Request: what they alone hold may be collected, and then nothing
 * ends the request.
 */
export function within<T>(
  ms: number,
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    caller?.throwIfAborted();
    const controller = new AbortController();
    const end = (reason: unknown): void => {
      clearTimeout(timer);
      unlink();
      controller.abort(reason);
      reject(reason);
    };
    const timer = setTimeout(() => end(named('TimeoutError', `no answer within ${ms} ms`)), ms);
    const hear = (): void => end(caller?.reason);
    const unlink = (): void => caller?.removeEventListener('abort', hear);
    caller?.addEventListener('abort', hear);
    const done = (value: T): void => {
      if (controller.signal.aborted) discard(value); // of work that does not look at its signal
      clearTimeout(timer);
      const body = value instanceof Response && value.body;
      if (body) bodies?.register(body, unlink);
      else unlink();
      resolve(value); // or nothing, if it was rejected
    };
    (async () => work(controller.signal))().then(done, end);
  });
}

/** Ends what hears of the caller's signal together with the body that it could still abort. */
const bodies = globalThis.FinalizationRegistry && new FinalizationRegistry((unlink: () => void) => unlink());

/** Resolves after so many ms; rejects at once when the caller aborts. */
export function pause(ms: number, caller: AbortSignal | undefined): Promise<void> {
  return within<void>(ms, caller, () => new Promise(() => {})).catch(() => caller?.throwIfAborted());
}

/** Gives back the connection of an answer that nobody reads. */
export function discard(response: unknown): void {
  if (response instanceof Response) response.body?.cancel().catch(() => {});
}
