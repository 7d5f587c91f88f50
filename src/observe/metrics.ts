import type { IdempotencyErrorCode } from '../core/errors.ts';
import type { IdempotencyEvent } from '../core/events.ts';

/** Their namespace in CloudWatch, unless another is said. */
export const NAMESPACE = 'EffectivelyOnce';

/** All metrics, with their units. */
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
  ExtensionFailures: 'Count',
} as const;

export type MetricName = keyof typeof METRICS;

/** The unit by which {@link METRICS} has a metric, without the table: what doors load is to be small. */
export const unitOf = (name: string): 'Count' | 'Milliseconds' => (name === 'RunDuration' ? 'Milliseconds' : 'Count');

/** The refusals with a code, beside all of them in {@link METRICS}. A metric of its own: a dimension would split the others, too. */
export const refusalsWith = (code: IdempotencyErrorCode) => `Refusals_${code}` as const;

/** What each event counts as. */
const COUNTED: { readonly [type: string]: MetricName } = {
  started: 'Runs',
  replayed: 'Replays',
  refused: 'Refusals',
  released: 'Releases',
  adopted: 'Adoptions',
  lost: 'LostLeases',
  unsure: 'UnsureEnds',
  'extend-failed': 'ExtensionFailures',
};

/** The metrics that an event adds one to. */
export function countedBy(event: IdempotencyEvent): readonly MetricName[] {
  const { type, code, from } = event as { readonly type: string; readonly code?: string; readonly from?: string };
  const isStopped = type === 'replayed' || code === 'CONFLICT';
  const counted = [COUNTED[type], isStopped && 'DuplicatesStopped', from === 'abandoned' && 'Takeovers'];
  return counted.filter((name) => name) as MetricName[];
}

/** The dimensions. CloudWatch takes ASCII alone, and the CDK 1 to 255 characters. */
export const dimensionsOf = (scope: string, source: string) => ({
  Scope: (scope || '-').replace(/[^ -~]+/g, encodeURIComponent).slice(0, 255),
  Source: source,
});
