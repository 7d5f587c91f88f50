import { parsed, that } from '../core/check.ts';
import type { IdempotencyEvent } from '../core/events.ts';
import { perCall } from './calls.ts';
import { writeLine } from './line.ts';
import { dimensionsOf, isNamespace, METRICS, type MetricName, NAMESPACE, refusalsWith } from './metrics.ts';

export interface EmfOptions {
  /**
   * Of the metrics in CloudWatch: 1 to 255 letters, digits, spaces and `. - _ / # :`; not below `AWS/`.
   * @default 'EffectivelyOnce'
   */
  readonly namespace?: string;
}

const OPTIONS = { namespace: that<string>(isNamespace, 'a namespace of CloudWatch') };

/** Who writes to each namespace. */
const writers = new Map<string, { users: number; readonly stop: () => void }>();

/**
 * Writes metrics to the log, in CloudWatch's embedded metric format: at most one line for each invocation and scope, before its answer leaves, and
 * one for each call of `runOnce`. Until the function that it returns is called. A namespace is written once, however often it is asked for.
 *
 * Throws `CONFIG_INVALID` for an unknown option, and for what is no namespace.
 *
 * @example
 * emf({ namespace: 'Shop' });
 */
export function emf(options: EmfOptions = {}): () => void {
  const { namespace = NAMESPACE } = parsed('emf', options, OPTIONS);
  const writer = writers.get(namespace) ?? { users: 0, stop: written(namespace) };
  writers.set(namespace, writer);
  writer.users++;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--writer.users > 0) return;
    writers.delete(namespace);
    writer.stop();
  };
}

type Counts = Partial<Record<MetricName | ReturnType<typeof refusalsWith>, number>>;

interface Tally {
  readonly counts: Counts;
  readonly durations: number[];
}

function written(namespace: string): () => void {
  return perCall<Tally>({
    begin: () => ({ counts: {}, durations: [] }),
    add({ counts, durations }, event, { RunDuration: duration, ...measures }) {
      if (duration !== undefined) durations.push(duration);
      const byCode: Counts = event.type === 'refused' ? { [refusalsWith(event.code)]: 1 } : {};
      for (const [name, count] of Object.entries({ ...measures, ...byCode }) as [MetricName, number][]) {
        counts[name] = (counts[name] ?? 0) + count;
      }
    },
    end: (tally, last) => writeLine(documentOf(namespace, tally, last)),
  });
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
function documentOf(
  Namespace: string,
  { counts, durations }: Tally,
  { at, scope, source, requestId }: IdempotencyEvent,
): object {
  const values = durations.length > 0 ? { ...counts, RunDuration: spread(durations) } : counts;
  const Metrics = Object.keys(values).map((Name) => ({ Name, Unit: METRICS[Name as MetricName] ?? 'Count' }));
  const Dimensions = [['Scope'], ['Scope', 'Source']];
  return {
    _aws: { Timestamp: at, CloudWatchMetrics: [{ Namespace, Dimensions, Metrics }] },
    ...dimensionsOf(scope, source),
    requestId,
    ...values,
  };
}

/** The most values that a metric of a document can have. */
const MOST = 100;

/** The values; of more than a document can have, as many of them, evenly spread from the least to the greatest. */
function spread(values: number[]): number[] {
  if (values.length <= MOST) return values;
  values.sort((a, b) => a - b);
  return Array.from({ length: MOST }, (_, n) => values[Math.round((n * (values.length - 1)) / (MOST - 1))] as number);
}
