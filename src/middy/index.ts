import type middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { parsed } from '../core/check.ts';
import { isIdempotencyError, misuse } from '../core/errors.ts';
import { type About, publish } from '../core/events.ts';
import type { WithExecution } from '../execution.ts';
import { observed } from '../observed.ts';
import { HANDLER, type HandlerOptions, type HandlerSettings, handlerSettings } from '../options.ts';
import { aboutOf, eventArrival } from '../run/arrival.ts';
import { begin } from '../run/begin.ts';
import { isRun } from '../run/run.ts';
import { sourceOf } from '../sources/index.ts';
import type { EventSource } from '../sources/source.ts';
import { type Chain, isWatched, type Request, watch } from './chain.ts';

export { earlyTimeout, settled } from './chain.ts';

/** Adds `idempotency` to the context: typed for a handler that is added after `.use`, not for one added before. */
export type IdempotencyMiddleware<Event> = middy.MiddlewareObj<Event, any, Error, WithExecution<Context>>;

declare module '@middy/core' {
  // Lambda and unit tests call the finished handler with a context that has no `idempotency` yet. Constraints and defaults are left
  // to Middy: its versions differ in them, and TypeScript compares only those that are there.
  export interface MiddyfiedHandler<TEvent, TResult, TErr, TContext, TInternal> {
    (event: TEvent, context: TContext extends { idempotency: unknown } ? Context : never): Promise<TResult>;
  }
}

interface State<Event> {
  readonly source: EventSource<Event>;
  readonly about: About;
  chain?: Chain;
  /** Thrown by `begin`: a refusal, or the error on record. */
  refusal?: unknown;
}

/**
 * Middy middleware: the handler runs once for a key, and every duplicate gets the final response, headers included.
 *
 * Stands after authentication and before everything that shapes the response, so that its `after` and `onError` run last. HTTP
 * callers get refusals as `application/problem+json`, with the headers that later middlewares have set. Throws `CONFIG_INVALID`
 * when built with unknown options.
 *
 * @example
 * export const handler = middy<APIGatewayProxyEventV2, APIGatewayProxyResultV2>()
 *   .use(idempotency({ store: dynamoDBStore() }))
 *   .handler(async (event) => ({ statusCode: 201, body: await placeOrder(event.body) }));
 */
export function idempotency<Event = unknown>(options: HandlerOptions<Event>): IdempotencyMiddleware<Event> {
  const settings = handlerSettings<Event>('idempotency', parsed('idempotency', options, HANDLER));
  const metrics = observed();
  const states = new WeakMap<object, State<Event>>();

  async function idempotencyBefore(request: Request<Event>): Promise<void> {
    if (metrics) await metrics;
    const source = await sourceOf(request.event);
    const about = aboutOf(settings, source, request);
    const state: State<Event> = { source, about };
    states.set(request, state);
    try {
      await enter(settings, state, request);
    } catch (error) {
      state.refusal = error;
      throw error;
    } finally {
      if (!isWatched(request)) publish(about, { type: 'settled' }); // else at the end of the chain
    }
  }

  async function idempotencyAfter(request: Request<Event>): Promise<void> {
    const { chain } = states.get(request) ?? {};
    if (chain) request.response = await chain.end(request.response);
  }

  // Runs for every error of the chain, even if this request has claimed nothing.
  async function idempotencyOnError(request: Request<Event>): Promise<void> {
    const { source, chain, refusal } = states.get(request) ?? {};
    if (!source) return; // a middleware before this one threw
    try {
      if (chain) request.response = await concluded(request, source, chain, request.response);
      else if (isIdempotencyError(refusal) && source.refuse)
        request.response = await source.refuse(refusal, request.event, request.response);
    } catch (error) {
      if (error !== chain?.error()) throw error; // Middy throws its own
    }
  }

  return { before: idempotencyBefore, after: idempotencyAfter, onError: idempotencyOnError };
}

/** Begins a run in the chain, or answers the chain from the record. */
async function enter<Event>(
  settings: HandlerSettings<Event>,
  state: State<Event>,
  request: Request<Event>,
): Promise<void> {
  if (isWatched(request)) throw misuse('a chain can have only one idempotency middleware');
  const { source, about } = state;
  const { event } = request;
  const arrival = eventArrival(about, settings, source, request);
  const begun = await begin(settings, arrival);
  if (isRun(begun)) {
    const conclude = (chain: Chain, answer: unknown) => concluded(request, source, chain, answer);
    const finish = (value: unknown): unknown => source.finish(value, event);
    const onEnd = (): void => publish(about, { type: 'settled' });
    state.chain = watch({ request, run: begun, isOutcome: arrival.isOutcome, finish, conclude, onEnd });
    Object.assign(request.context, { idempotency: begun.execution });
  } else {
    request.earlyResponse = await begun.open();
  }
}

/** Ends the run and gives the last response of the chain, or throws. */
async function concluded<Event>(
  request: Request<Event>,
  source: EventSource<Event>,
  chain: Chain,
  final: unknown,
): Promise<unknown> {
  try {
    return await chain.end(final);
  } catch (error) {
    const isOurs = isIdempotencyError(error) && !(chain.hasThrown() && error === chain.error());
    if (isOurs && source.refuse) return await source.refuse(error, request.event, final);
    throw error;
  }
}
