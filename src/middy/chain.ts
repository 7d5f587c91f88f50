import type middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Answer } from '../run/answer.ts';
import type { Ending, Run } from '../run/run.ts';
import type { EventSource } from '../sources/source.ts';
import { snapshot } from '../values/snapshot.ts';

export type Request<Event> = middy.Request<Event, unknown, unknown, Context>;

/** A claim in the middle of a chain. */
export interface Chain {
  /** The first error of the chain. */
  readonly error: () => unknown;
  /** Whether it is what the handler threw. */
  readonly hasThrown: () => boolean;
  /** Ends the run, once, and gives the caller's answer. `made`: the response that the chain has made. Throws what {@link Run} throws. */
  readonly end: (made: unknown) => Promise<unknown>;
}

/** What a run ended with. */
interface End extends Pick<Answer, 'isReplayed' | 'isFinal'> {
  readonly value: unknown;
}

/** Answers and errors of early timeouts, by identity: nothing else tells them from the handler's. */
const early = new WeakSet<object>();

/**
 * Wraps Middy's `timeoutEarlyResponse`. Unwrapped, a timeout response looks like the handler's own and is recorded, although
 * nobody knows whether the effect happened. `respond` returns or throws an object, at once or as a promise.
 *
 * @example
 * middy({ timeoutEarlyResponse: earlyTimeout(() => ({ statusCode: 504 })) }).use(idempotency({ store }));
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

/** The chains that hold a claim, by their requests. */
const chains = new WeakMap<object, Chain>();

/**
 * For Middy's `requestEnd`: the invocation ends only when the outcome is on record, also if an `onError` throws, after which Middy
 * (7.0.0 to 7.9.2) awaits nothing else. Never fails. A hook of one's own awaits it: `(request) => settled(request)`.
 *
 * @example
 * export const handler = middy({ requestEnd: settled }).use(idempotency({ store: dynamoDBStore() })).handler(placeOrder);
 */
export async function settled(request: object): Promise<void> {
  await chains
    .get(request)
    ?.end(undefined)
    .catch(() => {});
}

interface WatchOptions<Event> {
  readonly request: Request<Event>;
  readonly run: Run;
  readonly isOutcome: (value: unknown) => boolean;
  /** See {@link EventSource}. */
  readonly finish: (value: unknown) => unknown;
  /** Gives the response of a chain that another middleware ended with `answer`. */
  readonly conclude: (chain: Chain, answer: unknown) => Promise<unknown>;
  readonly onEnd: () => void;
}

/**
 * Watches `request.response` and `request.error`. The first assignment is the handler's own: it decides between record and
 * release, even if later middlewares change the response. If a middleware ends the chain by answering, our `after` and `onError`
 * are skipped. Middy awaits the response that it returns, and so awaits `conclude`.
 */
export function watch<Event>({ request, run, isOutcome, finish, conclude, onEnd }: WatchOptions<Event>): Chain {
  let assignments = 0;
  let returned: Returned | undefined;
  let thrown: Thrown | undefined;
  let ended: Promise<End> | undefined;

  const endRun = async (made: unknown): Promise<End> => {
    const { isReplayed, isFinal, open } = await run.end(endingOf(returned, thrown, made, finish));
    return { isReplayed, isFinal, value: await open() };
  };

  const chain: Chain = {
    error: () => thrown?.error,
    hasThrown: () => thrown !== undefined && !returned,
    end: async (made) => {
      ended ??= endRun(made).finally(onEnd);
      const { isReplayed, isFinal, value } = await ended;
      const isAnswer = isReplayed || isFinal || !(returned && thrown); // else the chain has made one of the error
      return isAnswer ? value : made;
    },
  };

  chains.set(request, chain);

  intercept(request, 'response', (value, assign) => {
    if ('earlyResponse' in request && request.earlyResponse === value) {
      assign(value);
      assign(conclude(chain, value).then(assign));
      return;
    }
    const isFirst = !thrown && !returned;
    if (!thrown) assignments++;
    // Judged and copied now: later middlewares change the object itself. They get a copy, too, or a getter would be read again.
    if (isFirst) returned = returnedOf(value, { isOutcome, finish });
    assign(isFirst ? returned?.passedOn : value);
  });

  intercept(request, 'error', (error, assign, previous) => {
    // An `onError` that throws skips those after it, ours among them; Middy marks its error, unless it is a primitive.
    const hasFailedAgain = thrown !== undefined && (error === previous || isMarked(error));
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
  /** What the rest of the chain gets. */
  readonly passedOn: unknown;
  /** What is recorded if the rest of the chain fails. */
  readonly copy: unknown;
  readonly isOutcome: boolean;
}

function returnedOf(
  value: unknown,
  { isOutcome, finish }: Pick<WatchOptions<never>, 'isOutcome' | 'finish'>,
): Returned {
  const copy = snapshot(value);
  const isLive = typeof value === 'object' && copy === value; // an instance of a class: it may be a response all the same
  return {
    value,
    passedOn: isLive ? value : snapshot(copy),
    copy: isLive ? finishedBy(finish, value) : copy,
    isOutcome: isOutcome(copy),
  };
}

// The effect has happened: nothing may keep the run from its end.
function finishedBy(finish: (value: unknown) => unknown, copy: unknown): unknown {
  try {
    return finish(copy);
  } catch {
    return copy;
  }
}

interface Thrown {
  readonly error: unknown;
}

/** How the run ended: what the handler itself did decides. */
function endingOf(
  returned: Returned | undefined,
  thrown: Thrown | undefined,
  made: unknown,
  finish: (value: unknown) => unknown,
): Ending {
  if (!returned && !thrown) return { kind: 'skipped', answer: made };
  if (isEarly(returned ? returned.value : thrown?.error)) return { kind: 'timed-out', answer: made };
  if (!returned) return { kind: 'threw', error: thrown?.error, answer: made };
  return { kind: 'returned', answer: thrown ? finishedBy(finish, returned.copy) : made, isOutcome: returned.isOutcome };
}

/** Calls `onAssign` in place of each assignment. */
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

function isMarked(error: unknown): boolean {
  return typeof error !== 'object' || error === null || 'originalError' in error;
}

function isEarly(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false;
  const { name, cause } = answer as Partial<Error>;
  return (
    early.has(answer) ||
    (name === 'TimeoutError' && (cause as { package?: string } | undefined)?.package === '@middy/core')
  );
}
