import { channel } from 'node:diagnostics_channel';
import type { IdempotencyEvent } from '../core/events.ts';
import { perCall } from './calls.ts';
import { writeLine } from './line.ts';
import { dimensionsOf, refusalsWith, unitOf } from './metrics.ts';

// Doors load this by `import()`. If it shared a module with them, bundlers would make a chunk of that, which all handlers load.

/** What writes to a namespace. */
interface Writer {
  users: number;
  readonly listen: (event: unknown) => void;
}

const CHANNEL = channel('effectively-once');
const writers = new Map<string, Writer>();

/** The writer of a namespace: the one that is there, or a new one. */
export function writerTo(namespace: string): Writer {
  const known = writers.get(namespace);
  if (known) return known;
  const hear = listenerOf(namespace);
  const listen = (event: unknown): void => {
    try {
      hear(event as IdempotencyEvent);
    } catch (error) {
      process.emitWarning(`metrics: ${error}`, 'IdempotencyWarning');
    }
  };
  const writer = { users: 0, listen };
  writers.set(namespace, writer);
  CHANNEL.subscribe(listen);
  return writer;
}

/** Ends it. */
export function end(namespace: string, { listen }: Writer): void {
  CHANNEL.unsubscribe(listen);
  writers.delete(namespace);
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
