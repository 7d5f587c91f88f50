import type { ContextManager, MeterProvider, Span, TracerProvider } from '@opentelemetry/api';

interface Registered {
  readonly context?: ContextManager;
  readonly metrics?: MeterProvider;
  readonly trace?: TracerProvider;
}

/**
 * What is registered with OpenTelemetry in this process: all copies of `@opentelemetry/api` 1.x keep it there for each other. Read there and not
 * imported, so that those who do not use OpenTelemetry need not install it.
 */
export function registered(): Registered {
  return (globalThis as any)[Symbol.for('opentelemetry.js.api.1')] ?? {};
}

/** The span in whose context the caller runs. */
export function activeSpan(): Span | undefined {
  const { context } = registered();
  return context?.active().getValue(Symbol.for('OpenTelemetry Context Key SPAN')) as Span | undefined;
}
