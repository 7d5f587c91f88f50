import { NAMESPACE } from './metrics.ts';
import { writerTo } from './writer.ts';

/** Writes metrics for as long as the process lives. `metrics`: what `IDEMPOTENCY_METRICS` says, see `isMetrics`. */
export function keep(metrics: string): void {
  writerTo(metrics.slice(4) || NAMESPACE).users++;
}
