import type { Meter, Tracer } from '@opentelemetry/api';
import { isFunction, parsed, that } from '../core/check.ts';
import { subscribe } from '../core/events.ts';
import { instrumentsOf } from './instruments.ts';
import { spansOf } from './spans.ts';

export interface OtelOptions {
  /** @default - that of the registered meter provider, named `effectively-once` */
  readonly meter?: Meter;
  /**
   * Makes a span for a call that no span is active for.
   * @default - that of the registered tracer provider, named `effectively-once`
   */
  readonly tracer?: Tracer;
}

const OPTIONS = {
  meter: that<Meter>(
    (value) => isFunction((value as Partial<Meter> | null)?.createCounter),
    'a meter of @opentelemetry/api',
  ),
  tracer: that<Tracer>(
    (value) => isFunction((value as Partial<Tracer> | null)?.startSpan),
    'a tracer of @opentelemetry/api',
  ),
};

/**
 * Tells OpenTelemetry (`@opentelemetry/api` 1.9 or later), until the function that it returns is called: metrics, and on the span that is active when a call
 * settles its outcome, in `effectively_once.*`. A batch has a link to the trace of each message, and `messaging.*`.
 *
 * Throws `CONFIG_INVALID` for an unknown option, and for what is no meter or tracer.
 *
 * @example
 * otel({ meter: metrics.getMeter('shop') });
 */
export function otel(options: OtelOptions = {}): () => void {
  const { meter, tracer } = parsed('otel', options, OPTIONS);
  const ends = [instrumentsOf(meter), spansOf(tracer)].map(subscribe);
  return () => {
    for (const end of ends) end();
  };
}
