import type middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Answer, Run } from './run.ts';

export type Request<Event> = middy.Request<Event, unknown, unknown, Context>;

/** A claim in the middle of a chain. */
export interface Chain {
  /** The first error of the chain. */
  readonly error: () => unknown;
  /** Ends the run, once; `final` is the response as the chain has made it. Throws what `Run` throws. */
  readonly settle: (final: unknown) => Promise<Answer>;
}

/** Answers and errors of early timeouts, by identity: nothing else tells one from a handler's. */
const early = new WeakSet<object>();

/**
 * Wraps what is given to Middy as `timeoutEarlyResponse`, so that its answer is not taken for the handler's: after an early
 * timeout nobody knows whether the effect happened. `respond` returns an object, or throws one.
 */
export function earlyTimeout<Response extends object>(respond: () => Response): () => Response {
  const mark = <T>(answer: T): T => {
    early.add(answer as object);
    return answer;
  };
  return () => {
    try {
      return mark(respond());
    } catch (error) {
      throw mark(error);
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
  let first: { readonly error: unknown } | undefined;
  const assigned: unknown[] = [];
  let settled: Promise<Answer> | undefined;

  // Middy resets the response before it assigns an error: a handler that threw has assigned nothing before that.
  const hasReturned = (): boolean => assigned.length > (first ? 1 : 0);

  const end = async (final: unknown): Promise<Answer> => {
    const own = hasReturned() ? assigned[0] : first?.error;
    if (isEarly(own)) run.abandon();
    else if (hasReturned()) return run.returned(own, first ? own : final);
    else if (first) return run.threw(own, final);
    else await run.release();
    return { value: final, replayed: false };
  };

  const chain: Chain = {
    error: () => first?.error,
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
        if (!first) assigned.push(value);
        if (!('earlyResponse' in request) || request.earlyResponse !== value) return;
        if (!first) assigned.pop();
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
        error = value;
        if (first) return;
        first = { error: value };
        // The effect has happened, and an `onError` that throws would pass over ours: record it now.
        if (hasReturned()) chain.settle(undefined).catch(() => {});
      },
    },
  });
  return chain;
}

function isEarly(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false;
  const { name, cause } = answer as Partial<Error>;
  return (
    early.has(answer) ||
    (name === 'TimeoutError' && (cause as { package?: string } | undefined)?.package === '@middy/core')
  );
}
