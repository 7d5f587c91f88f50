import type { DurableContext } from '@aws/durable-execution-sdk-js';
import type middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { eventArrival } from '../run/arrival.ts';
import { begin } from '../run/begin.ts';
import { isIdempotencyError, misuse } from '../core/errors.ts';
import type { WithExecution } from '../execution.ts';
import { type Chain, isWatched, type Request, watch } from './chain.ts';
import { HANDLER_CHECKS, type HandlerOptions, settingsOf } from '../options.ts';
import { isRun } from '../run/claimed.ts';
import { sourceOf } from '../sources/index.ts';
import type { EventSource } from '../sources/source.ts';

export { earlyTimeout } from './chain.ts';

/** Its context has `idempotency`: a handler added after `.use` sees it, one added before does not. */
export type IdempotencyMiddleware<Event> = middy.MiddlewareObj<Event, any, Error, WithExecution<Context>>;

declare module '@middy/core' {
  // A handler whose context has `idempotency` is called with one that has not: by Lambda, and by a user's unit test.
  export interface MiddyfiedHandler<
    TEvent = unknown,
    TResult = any,
    TErr = Error,
    TContext extends Context | DurableContext = Context,
    // biome-ignore lint/complexity/noBannedTypes: as Middy declares it
    TInternal extends Record<string, unknown> = {},
  > {
    (event: TEvent, context: TContext extends { idempotency: unknown } ? Context : never): Promise<TResult>;
  }
}

interface State<Event> {
  readonly source: EventSource<Event>;
  chain?: Chain;
  /** Thrown by `begin`: a refusal, or the error on record. */
  refusal?: unknown;
}

/**
 * Middy middleware: the handler runs once for a key, and every duplicate gets the final response, headers included.
 *
 * Stands first in the chain, so that its `after` and `onError` run last. HTTP callers are answered refusals as
 * `application/problem+json`, with the headers that later middlewares have set. Throws `CONFIG_INVALID` when built with
 * options it does not have.
 */
export function idempotency<Event = unknown>(options: HandlerOptions<Event>): IdempotencyMiddleware<Event> {
  const settings = settingsOf('idempotency', options, HANDLER_CHECKS);
  const states = new WeakMap<object, State<Event>>();

  async function idempotencyBefore(request: Request<Event>): Promise<void> {
    const { event, context } = request;
    const state: State<Event> = { source: sourceOf(event) };
    states.set(request, state);
    try {
      if (isWatched(request)) throw misuse('a chain takes one idempotency middleware');
      const begun = await begin(settings, eventArrival(settings, options, state.source, event, context));
      if (isRun(begun)) {
        state.chain = watch(request, begun, (chain, final) => conclude(request, state.source, chain, final));
        Object.assign(context, { idempotency: begun.execution });
      } else {
        request.earlyResponse = begun.replayed ? state.source.replay(begun.value, event) : begun.value;
      }
    } catch (error) {
      state.refusal = error;
      throw error;
    }
  }

  async function idempotencyAfter(request: Request<Event>): Promise<void> {
    const { source, chain } = states.get(request) ?? {};
    const answer = await chain?.settle(request.response);
    if (answer?.replayed) request.response = source?.replay(answer.value, request.event);
    else if (answer?.isFinal) request.response = answer.value;
  }

  // Runs for any error of the chain, also where this request has claimed nothing.
  async function idempotencyOnError(request: Request<Event>): Promise<void> {
    const { source, chain, refusal } = states.get(request) ?? {};
    if (!source) return; // a middleware before this one threw
    try {
      if (chain) request.response = await conclude(request, source, chain, request.response);
      else if (isIdempotencyError(refusal) && source.refuse)
        request.response = source.refuse(refusal, request.event, request.response);
    } catch (error) {
      if (error !== chain?.error()) throw error; // Middy throws its own
    }
  }

  return { before: idempotencyBefore, after: idempotencyAfter, onError: idempotencyOnError };
}

/** Ends the run and makes the last response of the chain, or throws. */
async function conclude<Event>(
  request: Request<Event>,
  source: EventSource<Event>,
  chain: Chain,
  final: unknown,
): Promise<unknown> {
  try {
    const answer = await chain.settle(final);
    if (answer.replayed) return source.replay(answer.value, request.event);
    return answer.isFinal ? answer.value : final;
  } catch (error) {
    const isOurs = isIdempotencyError(error) && !(chain.hasThrown() && error === chain.error());
    if (isOurs && source.refuse) return source.refuse(error, request.event, final);
    throw error;
  }
}
