export { type EmfOptions, emf } from './emf.ts';
export { type Logger, type LogOptions, log } from './log.ts';
export { METRICS, type MetricName, NAMESPACE } from './metrics.ts';
export { type OtelOptions, otel } from './otel.ts';
