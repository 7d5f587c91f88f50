import type middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Answer, Run } from '../run/claimed.ts';

export type Request<Event> = middy.Request<Event, unknown, unknown, Context>;

/** A claim in the middle of a chain. */
export interface Chain {
  /** The first error of the chain. */
  readonly error: () => unknown;
  /** Whether it is what the handler threw. */
  readonly hasThrown: () => boolean;
  /** Ends the run, once; `final` is the response as the chain has made it. Throws what `Run` throws. */
  readonly settle: (final: unknown) => Promise<Answer>;
}

/** Answers and errors of early timeouts, by identity: nothing else tells one from a handler's. */
const early = new WeakSet<object>();

/**
 * Wraps what is given to Middy as `timeoutEarlyResponse`, so that its answer is not taken for the handler's: after an early
 * timeout nobody knows whether the effect happened. `respond` returns an object or throws one, now or as a promise.
 */
export function earlyTimeout<Response extends object>(respond: () => Response): () => Response {
  const mark = <T>(answer: T): T => {
    early.add(answer as object);
    return answer;
  };
  const fail = (error: unknown): never => {
    throw mark(error);
  };
  return () => {
    try {
      const answer: unknown = respond();
      return (answer instanceof Promise ? answer.then(mark, fail) : mark(answer)) as Response;
    } catch (error) {
      return fail(error);
    }
  };
}

/**
 * Watches `request.response` and `request.error`. What the handler itself answered, the first that is assigned, decides
 * between record and release, whatever later middlewares make of it. One that ends the chain by answering passes over our
 * `after` and `onError`; then Middy, which awaits the response it returns, awaits `conclude` instead.
 */
export function watch<Event>(
  request: Request<Event>,
  run: Run,
  conclude: (chain: Chain, final: unknown) => Promise<unknown>,
): Chain {
  let { response, error } = request;
  let own: { readonly value: unknown; readonly isRecorded: boolean } | undefined;
  let assignments = 0;
  let first: { readonly error: unknown } | undefined;
  let settled: Promise<Answer> | undefined;

  // Middy resets the response before it assigns an error: a handler that threw has assigned nothing before that.
  const hasReturned = (): boolean => assignments > (first ? 1 : 0);

  const end = async (final: unknown): Promise<Answer> => {
    const decisive = hasReturned() ? own?.value : first?.error;
    if (isEarly(decisive)) run.abandon();
    else if (own && hasReturned()) return run.returned(first ? own.value : final, own.isRecorded);
    else if (first) return run.threw(first.error, final);
    else await run.release();
    return { value: final, replayed: false };
  };

  const chain: Chain = {
    error: () => first?.error,
    hasThrown: () => first !== undefined && !hasReturned(),
    settle: (final) => {
      settled ??= end(final);
      return settled;
    },
  };

  Object.defineProperties(request, {
    response: {
      configurable: true,
      enumerable: true,
      get: () => response,
      set(value: unknown) {
        response = value;
        const endsChain = 'earlyResponse' in request && request.earlyResponse === value;
        if (!first && !endsChain) {
          assignments++;
          // Judged now: later middlewares change the object itself.
          own ??= { value, isRecorded: run.records(value) };
        }
        if (!endsChain) return;
        response = conclude(chain, value).then((last) => {
          response = last;
          return last;
        });
      },
    },
    error: {
      configurable: true,
      enumerable: true,
      get: () => error,
      set(value: unknown) {
        // Middy's mark on what an `onError` threw, which passes over those after it, ours among them.
        const hasFailedAgain = first !== undefined && (value === error || hasOriginal(value));
        error = value;
        first ??= { error: value };
        // Where the handler returned, its effect has happened: an `onError` that throws must not lose it.
        if (hasReturned() || hasFailedAgain) chain.settle(undefined).catch(() => {});
      },
    },
  });
  return chain;
}

/** Whether a request is watched already. */
export function isWatched(request: object): boolean {
  return Object.getOwnPropertyDescriptor(request, 'response')?.set !== undefined;
}

function hasOriginal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'originalError' in error;
}

function isEarly(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false;
  const { name, cause } = answer as Partial<Error>;
  return (
    early.has(answer) ||
    (name === 'TimeoutError' && (cause as { package?: string } | undefined)?.package === '@middy/core')
  );
}
