import type { SQSRecord } from 'aws-lambda';
import { type Duration, durationOf } from '../core/duration.ts';
import { isIdempotencyError, textOf } from '../core/errors.ts';
import type { Unfinished } from '../run/batch.ts';

/** How long a failed message is hidden. */
export type RetryAfter = (error: unknown, of: Failed) => Duration | undefined;

interface Failed {
  /** Of the record in the table, 1 for the first; undefined: no run has begun. */
  readonly attempt: number | undefined;
  /** Of the message. */
  readonly receiveCount: number;
  readonly record: SQSRecord;
}

/** A message, and for how many whole seconds it is hidden from now on. */
export interface Hidden {
  readonly record: SQSRecord;
  readonly seconds: number;
}

/** Seconds. SQS hides a message for 12 h from its receive on, and a part of them may be over. */
const LONGEST = 12 * 60 * 60 - 20 * 60;

const FIRST_MS = 2_000;
const LAST_MS = 15 * 60_000;

/** Full jitter, from 2 s doubling to 15 min. */
export const jittered: RetryAfter = (_, { attempt, receiveCount }) =>
  Math.random() * Math.min(LAST_MS, FIRST_MS * 2 ** (Math.max(1, attempt ?? receiveCount) - 1));

/** What is hidden of the unfinished, and for how long: a FIFO group as a whole, or nothing of it would come before the queue's own timeout. */
export function hidden(left: readonly Unfinished<SQSRecord>[], retryAfter: RetryAfter, now: number): readonly Hidden[] {
  const groups = Map.groupBy(left, ({ record }) => groupOf(record) ?? record);
  return [...groups.values()].flatMap((group) => {
    const heads = group.filter(({ isHead }) => isHead);
    const delays = (heads.length > 0 ? heads : group).map((head) => secondsFor(head, retryAfter, now));
    const known = delays.filter((seconds) => seconds !== undefined);
    if (known.length < delays.length) return [];
    const seconds = Math.max(...known);
    return group.map(({ record }) => ({ record, seconds }));
  });
}

// A standard queue may have groups, too, and no order.
function groupOf({ eventSourceARN, attributes }: SQSRecord): string | undefined {
  return eventSourceARN?.endsWith('.fifo') ? attributes?.MessageGroupId : undefined;
}

/** Undefined: it stays as it is. */
function secondsFor(
  { record, failure }: Unfinished<SQSRecord>,
  retryAfter: RetryAfter,
  now: number,
): number | undefined {
  const { error, attempt } = failure;
  const receiveCount = Number(record.attributes?.ApproximateReceiveCount) || 1;
  const ms = leaseEnds(error, now) ?? asked(() => retryAfter(error, { attempt, receiveCount, record }));
  return ms === undefined ? undefined : Math.min(LONGEST, Math.ceil(Math.max(0, ms) / 1_000));
}

/** Ms until the lease ends that is in the way: not before that can anything come of it. */
function leaseEnds(error: unknown, now: number): number | undefined {
  const isConflict = isIdempotencyError(error) && error.code === 'CONFLICT';
  return isConflict && error.leaseUntil !== undefined ? error.leaseUntil - now : undefined;
}

function asked(ask: () => Duration | undefined): number | undefined {
  try {
    const answer: unknown = ask();
    if (answer instanceof Promise) answer.catch(() => {}); // nobody waits for it
    if (answer === undefined) return undefined;
    return durationOf('retryAfter', typeof answer === 'number' ? Math.ceil(answer) : (answer as Duration));
  } catch (error) {
    console.error(`a message comes again when its queue says, since \`retryAfter\` failed: ${textOf(error)}`);
    return undefined;
  }
}
