import type { IdempotencyEvent } from '../core/events.ts';
import { countedBy, type MetricName } from './metrics.ts';

/** What is to be done with the events of a call: of an invocation at a door, or of `runOnce`. */
interface Gathering<T> {
  readonly begin: () => T;
  /** Adds an event that tells of an arrival or an end, or is counted for another reason. `counted`: the metrics that it adds one to. */
  readonly add: (gathered: T, event: IdempotencyEvent, counted: readonly MetricName[]) => void;
  /** The call is over. `last`: its last event, `settled` unless it never did. */
  readonly end: (gathered: T, last: IdempotencyEvent) => void;
}

/** Ms that Lambda lets an invocation take at most: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. */
const LONGEST = 900_000;

/** A listener that gathers what the events of each call say until it settles. One that never does is ended when another begins, 15 minutes later. */
export function perCall<T>({ begin, add, end }: Gathering<T>): (event: IdempotencyEvent) => void {
  const calls = new Map<string, { readonly gathered: T; readonly last: IdempotencyEvent }>();

  const endStale = (now: number): void => {
    for (const [of, { gathered, last }] of calls) {
      if (now - last.at < LONGEST) continue;
      calls.delete(of);
      end(gathered, last);
    }
  };

  return (event) => {
    const { type, scope, source, requestId, call, at } = event;
    const of = [scope, source, requestId, call].join('#'); // no scope has one
    const counted = countedBy(event);
    const known = calls.get(of);
    if (type === 'settled') {
      calls.delete(of);
      if (known) end(known.gathered, event);
    } else if (counted.length > 0 || 'durationMs' in event) {
      if (!known) endStale(at);
      const gathered = known ? known.gathered : begin();
      calls.set(of, { gathered, last: event });
      add(gathered, event, counted);
    }
  };
}
