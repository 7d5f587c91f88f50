import { CALL, type IdempotencyEvent } from '../core/events.ts';
import { subscribe } from '../core/subscribe.ts';
import { measuresOf } from './metrics.ts';

/** What is to be done with the events of a call: of an invocation at a door, or of `runOnce`. */
export interface Gathering<T> {
  readonly begin: () => T;
  /** Adds an event that tells of an arrival or of an end, and what it measures. */
  readonly add: (gathered: T, event: IdempotencyEvent, measures: ReturnType<typeof measuresOf>) => void;
  /** The call is over. `last`: its last event, `settled` unless it never did. */
  readonly end: (gathered: T, last: IdempotencyEvent) => void;
}

/** Ms that Lambda lets an invocation take at most: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. */
const LONGEST = 900_000;

/**
 * Gathers what the events of each call say until it settles. One that never does is ended when another begins, 15 minutes later. Returns the
 * function that ends it all.
 */
export function perCall<T>({ begin, add, end }: Gathering<T>): () => void {
  const calls = new Map<string, { readonly gathered: T; last: IdempotencyEvent }>();

  const endStale = (now: number): void => {
    for (const [of, { gathered, last }] of calls) {
      if (now - last.at < LONGEST) continue;
      calls.delete(of);
      end(gathered, last);
    }
  };

  return subscribe((event) => {
    const { scope, source, requestId, at } = event;
    const of = [scope, source, requestId, event[CALL]].join('#'); // no scope has one
    let known = calls.get(of);
    if (event.type === 'settled') {
      calls.delete(of);
      if (known) end(known.gathered, event);
      return;
    }
    const measures = measuresOf(event);
    if (Object.keys(measures).length === 0) return;
    if (!known) {
      endStale(at);
      known = { gathered: begin(), last: event };
      calls.set(of, known);
    }
    known.last = event;
    add(known.gathered, event, measures);
  });
}
