import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import type { IdempotencyEvent } from '../core/events.ts';
import { countedBy, METRICS, type MetricName } from './metrics.ts';
import { registered } from './registered.ts';

/** The namespace of attributes and instruments: OpenTelemetry has no convention for idempotency. */
export const OWN = 'effectively_once';

/** `RunDuration` is `effectively_once.run_duration`. */
export function instrumentName(name: MetricName): string {
  return `${OWN}.${name.replace(/(?<!^)[A-Z]/g, '_$&').toLowerCase()}`;
}

interface Instruments {
  readonly counters: ReadonlyMap<MetricName, Counter>;
  readonly duration: Histogram;
}

function made(meter: Meter): Instruments {
  const counts = (Object.keys(METRICS) as MetricName[]).filter((name) => METRICS[name] === 'Count');
  return {
    counters: new Map(counts.map((name) => [name, meter.createCounter(instrumentName(name))])),
    duration: meter.createHistogram(instrumentName('RunDuration'), { unit: 'ms' }),
  };
}

/** A listener that measures; by default with the registered meter, as soon as there is one. */
export function instrumentsOf(meter: Meter | undefined): (event: IdempotencyEvent) => void {
  let instruments: Instruments | undefined;
  return (event) => {
    const metering = meter ?? registered().metrics?.getMeter('effectively-once');
    instruments ??= metering && made(metering);
    if (!instruments) return;
    const dimensions = { [`${OWN}.scope`]: event.scope, [`${OWN}.source`]: event.source };
    for (const name of countedBy(event)) {
      const isByCode = name === 'Refusals' && event.type === 'refused';
      instruments.counters.get(name)?.add(1, isByCode ? { ...dimensions, [`${OWN}.code`]: event.code } : dimensions);
    }
    if ('durationMs' in event) instruments.duration.record(event.durationMs, dimensions);
  };
}
