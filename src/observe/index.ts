export { type EmfOptions, emf } from './emf.ts';
export { METRICS, type MetricName, NAMESPACE } from './metrics.ts';
