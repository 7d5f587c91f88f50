import type middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Answer } from '../run/answer.ts';
import type { Ending, Run } from '../run/run.ts';

export type Request<Event> = middy.Request<Event, unknown, unknown, Context>;

/** A claim in the middle of a chain. */
export interface Chain {
  /** The first error of the chain. */
  readonly error: () => unknown;
  /** Whether it is what the handler threw. */
  readonly hasThrown: () => boolean;
  /** Ends the run, once; `answer` is the response as the chain has made it. Throws what {@link Run} throws. */
  readonly end: (answer: unknown) => Promise<Opened>;
}

/** An answer with its value. */
interface Opened extends Pick<Answer, 'isReplayed' | 'isFinal'> {
  readonly value: unknown;
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

interface WatchOptions<Event> {
  readonly request: Request<Event>;
  readonly run: Run;
  readonly isOutcome: (value: unknown) => boolean;
  /** Makes the response of a chain that was ended by `answer`. */
  readonly conclude: (chain: Chain, answer: unknown) => Promise<unknown>;
  readonly onEnd: () => void;
}

/**
 * Watches `request.response` and `request.error`. What the handler itself answered, the first that is assigned, decides
 * between record and release, whatever later middlewares make of it. One that ends the chain by answering passes over our
 * `after` and `onError`; then Middy, which awaits the response it returns, awaits `conclude` instead.
 */
export function watch<Event>({ request, run, isOutcome, conclude, onEnd }: WatchOptions<Event>): Chain {
  let assignments = 0;
  let returned: Returned | undefined;
  let thrown: Thrown | undefined;
  let ended: Promise<Opened> | undefined;

  const end = async (answer: unknown): Promise<Opened> => {
    const { isReplayed, isFinal, open } = await run.end(endingOf(returned, thrown, answer));
    return { isReplayed, isFinal, value: await open() };
  };

  const chain: Chain = {
    error: () => thrown?.error,
    hasThrown: () => thrown !== undefined && !returned,
    end: (answer) => {
      ended ??= end(answer).finally(onEnd);
      return ended;
    },
  };

  intercept(request, 'response', (value, assign) => {
    assign(value);
    if ('earlyResponse' in request && request.earlyResponse === value) {
      assign(conclude(chain, value).then(assign));
    } else if (!thrown) {
      assignments++;
      // Judged now: later middlewares change the object itself.
      returned ??= { value, isOutcome: isOutcome(value) };
    }
  });

  intercept(request, 'error', (error, assign, previous) => {
    // Middy's mark on what an `onError` threw, which passes over those after it, ours among them.
    const hasFailedAgain = thrown !== undefined && (error === previous || hasOriginal(error));
    assign(error);
    // Middy resets the response before it assigns an error: a handler that threw has assigned nothing before that.
    if (!thrown && assignments === 1) returned = undefined;
    thrown ??= { error };
    // If the handler returned, its effect has happened: an `onError` that throws must not lose it.
    if (returned || hasFailedAgain) chain.end(undefined).catch(() => {});
  });
  return chain;
}

interface Returned {
  readonly value: unknown;
  readonly isOutcome: boolean;
}

interface Thrown {
  readonly error: unknown;
}

/** How the run ended that a chain has answered; what the handler itself did decides. */
function endingOf(returned: Returned | undefined, thrown: Thrown | undefined, answer: unknown): Ending {
  if (!returned && !thrown) return { kind: 'skipped', answer };
  if (isEarly(returned ? returned.value : thrown?.error)) return { kind: 'timed-out', answer };
  if (!returned) return { kind: 'threw', error: thrown?.error, answer };
  return { kind: 'returned', answer: thrown ? returned.value : answer, isOutcome: returned.isOutcome };
}

/** Has `onAssign` called in place of each assignment. */
function intercept<Event>(
  request: Request<Event>,
  name: 'response' | 'error',
  onAssign: (value: unknown, assign: <T>(value: T) => T, previous: unknown) => void,
): void {
  let current: unknown = request[name];
  const assign = <T>(value: T): T => {
    current = value;
    return value;
  };
  Object.defineProperty(request, name, {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (value: unknown) => onAssign(value, assign, current),
  });
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
