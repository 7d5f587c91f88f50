import { channel } from 'node:diagnostics_channel';

export type IdempotencyEventType =
  | 'acquired'
  | 'takeover'
  | 'replayed'
  | 'conflict'
  | 'mismatch'
  | 'completed'
  | 'released'
  | 'adopted'
  | 'lease-lost'
  | 'extend-failed'
  | 'outcome-unknown'
  | 'overruled'
  | 'completion-failed'
  | 'release-failed';

/** What subscribers of the `node:diagnostics_channel` `effectively-once` get. Never a payload, a key or a value. */
export interface IdempotencyEvent {
  readonly type: IdempotencyEventType;
  readonly scope: string;
  /** Partition key of the record. */
  readonly id: string;
  readonly attempt?: number;
  /** Epoch ms. */
  readonly at: number;
  readonly error?: unknown;
}

const events = channel('effectively-once');

/** Free when nobody listens. */
export function publish(
  type: IdempotencyEventType,
  about: Pick<IdempotencyEvent, 'scope' | 'id' | 'attempt'>,
  error?: unknown,
): void {
  if (!events.hasSubscribers) return;
  const { scope, id, attempt } = about;
  events.publish({ type, scope, id, attempt, at: Date.now(), ...(error !== undefined && { error }) });
}
