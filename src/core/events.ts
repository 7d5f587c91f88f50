import { channel } from 'node:diagnostics_channel';
import { type IdempotencyErrorCode, textOf } from './errors.ts';
import { present } from './present.ts';
import type { Outcome } from './record.ts';

/** What every event says. Never a key, a payload or a value. */
interface Common {
  /** The operation; empty if none is configured. */
  readonly scope: string;
  /** The source of the handled event: `http`, `sqs`, `plain` …, `batch` (no known one); or `run-once`, `operator`. */
  readonly source: string;
  /** Epoch ms. */
  readonly at: number;
  /** `awsRequestId` of the invocation; absent without a Lambda context. */
  readonly requestId?: string;
  /** The trace that the event carries: `AWSTraceHeader`, or `traceparent`. */
  readonly trace?: string;
  /** Not enumerable: tells calls of `runOnce` apart that go on at once, where there is no `requestId`. */
  readonly call?: number | undefined;
}

interface OfRecord {
  /** Partition key of the record. */
  readonly id: string;
  readonly attempt: number;
}

/** The record that a claim took: none, or one that had expired, was released, or was abandoned. */
export type StartedFrom = 'new' | 'expired' | 'released' | 'abandoned';

export type Why = 'timeout' | 'step' | 'commit' | 'completion' | 'release' | 'reconcile';

interface OfEnd extends OfRecord {
  /** Since `started`. */
  readonly durationMs: number;
}

/** How a run ends. One that has started, and whose process lives, tells exactly one of these. */
interface Ends {
  /** Its outcome is on record; `unavailable`: done, though its value could not be kept. */
  readonly completed: OfEnd & { readonly by: 'complete' | 'commit' | 'reconcile'; readonly outcome: Outcome['kind'] };
  /** It failed, or forgot itself, or its handler was not called, or nothing came of it: the key is free again. */
  readonly released: OfEnd & { readonly error?: unknown };
  /** It was taken over, or lost an atomic race, and answers with the winner's outcome. */
  readonly adopted: OfEnd;
  /** It was taken over, or lost an atomic race, and there is no outcome to adopt. */
  readonly lost: OfEnd & { readonly code: IdempotencyErrorCode };
  /** It is over, and nobody knows whether its effect is on record. `why`: what did not finish, or got no answer. */
  readonly unsure: OfEnd & { readonly why: Why; readonly error?: unknown };
}

/** Every arrival that is not run unprotected tells exactly one of the first three. */
interface Events extends Ends {
  /** A claim was taken, or an atomic run begun. */
  readonly started: OfRecord & { readonly from: StartedFrom };
  /** A duplicate got the outcome on record. */
  readonly replayed: OfRecord;
  /** An arrival was refused. */
  readonly refused: Partial<OfRecord> & { readonly code: IdempotencyErrorCode; readonly error: unknown };
  /** A lease was prolonged; `leaseUntil` in epoch ms. */
  readonly extended: OfRecord & { readonly leaseUntil: number };
  /** A lease could not be prolonged; it is tried again while the lease lasts. */
  readonly 'extend-failed': OfRecord & { readonly error: unknown };
  /** A run answers with what it committed, though its handler threw or another answer was made since. */
  readonly overruled: OfRecord;
  /** An operator decided an unknown outcome. */
  readonly resolved: { readonly id: string; readonly to: 'value' | 'rerun' };
  /** A door is about to answer its invocation, `runOnce` its call: the last event of it. `records`: of a batch, how many it has. */
  readonly settled: { readonly records?: number | undefined };
}

/** What subscribers get: told apart by `type`. */
export type IdempotencyEvent = { [Type in keyof Events]: Common & Told<Type> }[keyof Events];

type Told<Type extends keyof Events> = { readonly type: Type } & Events[Type];

/** The end of a run, without what every end says. */
export type EndEvent = { [Type in keyof Ends]: { readonly type: Type } & Omit<Ends[Type], keyof OfEnd> }[keyof Ends];

/** Whom an event is about. */
export interface About extends Pick<Common, 'scope' | 'source'>, Partial<OfRecord> {
  readonly requestId?: string | undefined;
  readonly trace?: string | undefined;
  readonly call?: number;
}

const CHANNEL = channel('effectively-once');

/** Whether somebody listens. */
export function isHeard(): boolean {
  return CHANNEL.hasSubscribers;
}

/** Free when nobody listens. */
export function publish(
  about: About,
  event: { [Type in keyof Events]: Omit<Told<Type>, keyof OfRecord> }[keyof Events],
): void {
  if (!CHANNEL.hasSubscribers) return;
  const { call, ...all } = { ...event, ...about, at: Date.now() };
  CHANNEL.publish(Object.defineProperty(present(all), 'call', { value: call }));
}

/**
 * Calls `listener` with every event of this process, until the function that it returns is called. A listener that throws, or
 * whose promise is rejected, causes a process warning and does not affect the request.
 *
 * Events are published on the `node:diagnostics_channel` `effectively-once`, too.
 *
 * @example
 * const unsubscribe = subscribe((event) => {
 *   if (event.type === 'unsure') logger.warn('look into this record', { id: event.id, why: event.why });
 * });
 */
export function subscribe(listener: (event: IdempotencyEvent) => unknown): () => void {
  const listen = async (event: unknown): Promise<void> => {
    try {
      await listener(event as IdempotencyEvent);
    } catch (error) {
      process.emitWarning(`a listener threw ${textOf(error)}`, 'IdempotencyWarning');
    }
  };
  CHANNEL.subscribe(listen);
  return () => void CHANNEL.unsubscribe(listen);
}
