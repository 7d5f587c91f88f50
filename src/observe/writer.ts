import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IdempotencyEvent } from '../core/events.ts';
import { perCall } from './calls.ts';
import { writeLine } from './line.ts';
import { dimensionsOf, NAMESPACE, refusalsWith, unitOf } from './metrics.ts';

// Doors load this room by `import()`, and a plain handler nothing of it: so it imports nothing that doors do.

interface Writer {
  users: number;
  readonly stop: () => void;
}

/** Who writes to each namespace. */
const writers = new Map<string, Writer>();

/** For ever. `metrics`: see `isMetrics`. */
export function keep(metrics: string): void {
  writerTo(metrics.slice(4) || NAMESPACE).users++;
}

/** The one that writes to a namespace, which begins if it is not there. */
export function writerTo(namespace: string): Writer {
  const known = writers.get(namespace);
  if (known) return known;
  const hear = listenerOf(namespace);
  const listen = (event: unknown): void => {
    try {
      hear(event as IdempotencyEvent);
    } catch (error) {
      process.emitWarning(`no metrics: ${error}`, 'IdempotencyWarning');
    }
  };
  subscribe('effectively-once', listen);
  const stop = (): void => {
    unsubscribe('effectively-once', listen);
    writers.delete(namespace);
  };
  const writer = { users: 0, stop };
  writers.set(namespace, writer);
  return writer;
}

interface Tally {
  readonly counts: Record<string, number>;
  readonly durations: number[];
}

function listenerOf(namespace: string): (event: IdempotencyEvent) => void {
  return perCall<Tally>({
    begin: () => ({ counts: {}, durations: [] }),
    add({ counts, durations }, event, counted) {
      if ('durationMs' in event) durations.push(event.durationMs);
      const names = event.type === 'refused' ? [...counted, refusalsWith(event.code)] : counted;
      for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
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
  const Metrics = Object.keys(values).map((Name) => ({ Name, Unit: unitOf(Name) }));
  const Dimensions = [['Scope'], ['Scope', 'Source']];
  return {
    _aws: { Timestamp: at, CloudWatchMetrics: [{ Namespace, Dimensions, Metrics }] },
    ...dimensionsOf(scope, source),
    requestId,
    ...values,
  };
}

/** The values; of more than the 100 that a document can have, so many, evenly spread from the least to the greatest. */
function spread(values: number[]): number[] {
  if (values.length <= 100) return values;
  values.sort((a, b) => a - b);
  return Array.from({ length: 100 }, (_, n) => values[Math.round((n * (values.length - 1)) / 99)] as number);
}
