import { named } from './failure.ts';

/**
 * Does something, for at most `ms`. Rejects at once when the time is over or the caller aborts, whether or not it looks at its
 * signal. If it gives a response, of whatever class, the caller's signal rules the body as well.
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
      release();
      controller.abort(reason);
      reject(reason);
    };
    const timer = setTimeout(() => end(named('TimeoutError', `no answer within ${ms.toFixed()} ms`)), ms);
    const hear = (): void => end(caller?.reason);
    const release = (): void => {
      clearTimeout(timer);
      caller?.removeEventListener('abort', hear);
    };
    caller?.addEventListener('abort', hear);
    const done = (value: any): void => {
      release();
      if (value?.headers) {
        controllers.set(value, controller);
        if (caller && value.body) follow(caller, controller, value.body);
        if (controller.signal.aborted) discard(value); // of work that does not look at its signal
      }
      resolve(value); // or nothing, if it was rejected
    };
    (async () => work(controller.signal))().then(done, end);
  });
}

/** Aborts with the caller, for as long as the body lives. Nothing here may hold the body: the caller's signal may live for ever. */
function follow(caller: AbortSignal, controller: AbortController, body: object): void {
  const hear = (): void => controller.abort(caller.reason);
  caller.addEventListener('abort', hear);
  bodies?.register(body, () => caller.removeEventListener('abort', hear));
}

const bodies = globalThis.FinalizationRegistry && new FinalizationRegistry((unlink: () => void) => unlink());

/** Resolves after so many ms; rejects at once when the caller aborts. */
export function pause(ms: number, caller: AbortSignal | undefined): Promise<void> {
  return within<void>(ms, caller, () => new Promise(() => {})).catch(() => caller?.throwIfAborted());
}

/** By answer: what ends its request. */
const controllers = new WeakMap<object, AbortController>();

/** Gives back the connection of an answer that nobody reads, even if a clone of it was begun. Not every `fetch` gives web streams. */
export function discard(response: Response | undefined): void {
  response?.body?.cancel?.().catch(() => {});
  controllers.get(response as Response)?.abort();
}
