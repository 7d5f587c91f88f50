import type { Context } from 'aws-lambda';
import { checkHandler, parsed } from './core/check.ts';
import { IdempotencyError, isIdempotencyError } from './core/errors.ts';
import { publish } from './core/events.ts';
import { type Execution, type WithExecution, withExecution } from './execution.ts';
import { observed } from './observed.ts';
import { HANDLER, type HandlerOptions, handlerSettings } from './options.ts';
import { aboutOf, eventArrival } from './run/arrival.ts';
import { once } from './run/begin.ts';
import { sourceOf } from './sources/index.ts';

/** Lambda's mark on a handler that streams its response. */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/**
 * Wraps a Lambda handler so that it runs once for a key, and every duplicate gets the recorded outcome.
 *
 * HTTP callers get refusals as `application/problem+json`; for other sources an `IdempotencyError` is thrown. Throws
 * `CONFIG_INVALID` when built with unknown options.
 *
 * @example
 * export const handler = idempotent(async (event: OrderPlaced) => ship(event.detail), {
 *   store: dynamoDBStore(),
 *   key: (event) => event.detail.orderId,
 * });
 */
export function idempotent<Event, Result, Ctx extends Context = Context>(
  handler: (event: Event, context: WithExecution<Ctx>) => Promise<Result> | Result,
  options: HandlerOptions<Event>,
): (event: Event, context: Ctx) => Promise<Result> {
  const settings = handlerSettings<Event>('idempotent', parsed('idempotent', options, HANDLER));
  checkHandler('idempotent', handler);
  const metrics = observed();
  if (STREAMING in handler)
    throw new IdempotencyError('CONFIG_INVALID', 'a handler that streams its response cannot be wrapped');

  return async function idempotentHandler(event, context) {
    if (metrics) await metrics;
    const known = sourceOf(event);
    const source = known instanceof Promise ? await known : known;
    const invocation = { event, context };
    const about = aboutOf(settings, source, invocation);
    let thrown: unknown;
    const run = (execution: Execution) => handler(event, withExecution(context, execution));
    const onThrown = (error: unknown): void => {
      thrown = error;
    };
    try {
      const answer = await once(settings, eventArrival(about, settings, source, invocation), run, onThrown);
      const opened = answer.open();
      return (opened instanceof Promise ? await opened : opened) as Result;
    } catch (error) {
      if (source.refuse && isIdempotencyError(error) && error !== thrown)
        return (await source.refuse(error, event)) as Result;
      throw error;
    } finally {
      publish(about, { type: 'settled' });
    }
  };
}
