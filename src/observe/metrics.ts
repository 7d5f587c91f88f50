import type { IdempotencyErrorCode } from '../core/errors.ts';
import type { IdempotencyEvent } from '../core/events.ts';

/** The namespace in CloudWatch, unless another is said. */
export const NAMESPACE = 'EffectivelyOnce';

/** What CloudWatch takes for a namespace; those below `AWS/` are its own. */
export function isNamespace(text: unknown): boolean {
  return typeof text === 'string' && /^(?!AWS\/)[\w./#-][\w./#: -]{0,254}$/.test(text);
}

/** All metrics and their units. They are named here and nowhere else. */
export const METRICS = {
  Runs: 'Count',
  RunDuration: 'Milliseconds',
  Replays: 'Count',
  Refusals: 'Count',
  DuplicatesStopped: 'Count',
  Takeovers: 'Count',
  Releases: 'Count',
  Adoptions: 'Count',
  LostLeases: 'Count',
  UnsureEnds: 'Count',
} as const;

export type MetricName = keyof typeof METRICS;

/** The refusals with a code, beside {@link METRICS} which has all. A metric of its own: a dimension would split the others, too. */
export const refusalsWith = (code: IdempotencyErrorCode) => `Refusals_${code}` as const;

/** What each event counts as. */
const COUNTED: Partial<Record<IdempotencyEvent['type'], MetricName>> = {
  started: 'Runs',
  replayed: 'Replays',
  refused: 'Refusals',
  released: 'Releases',
  adopted: 'Adoptions',
  lost: 'LostLeases',
  unsure: 'UnsureEnds',
};

/** What an event adds to each metric; nothing, unless it tells of an arrival or of an end. */
export function measuresOf(event: IdempotencyEvent): Partial<Record<MetricName, number>> {
  const { type } = event;
  const counted = COUNTED[type];
  const isStopped = type === 'replayed' || (type === 'refused' && event.code === 'CONFLICT');
  return {
    ...(counted && { [counted]: 1 }),
    ...(isStopped && { DuplicatesStopped: 1 }),
    ...(type === 'started' && event.from === 'abandoned' && { Takeovers: 1 }),
    ...('durationMs' in event && { RunDuration: event.durationMs }),
  };
}

/** The dimensions. CloudWatch takes values of 1 to 1,024 ASCII characters. */
export const dimensionsOf = (scope: string, source: string) => ({
  Scope: (scope || '-').replace(/[^ -~]+/g, encodeURIComponent).slice(0, 1_024),
  Source: source,
});
