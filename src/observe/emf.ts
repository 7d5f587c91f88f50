import { parsed, that } from '../core/check.ts';
import { isMetrics } from '../environment.ts';
import { NAMESPACE } from './metrics.ts';
import { end, writerTo } from './writer.ts';

export interface EmfOptions {
  /**
   * Of the metrics in CloudWatch: 1 to 255 letters, digits, spaces and `. - _ / # :`; not below `AWS/`.
   * @default 'EffectivelyOnce'
   */
  readonly namespace?: string;
}

const OPTIONS = {
  namespace: that<string>(
    (value) => typeof value === 'string' && isMetrics(`emf:${value}`),
    'a namespace of CloudWatch: 1 to 255 letters, digits, spaces and . - _ / # :, not below AWS/',
  ),
};

/**
 * Writes metrics to the log, in CloudWatch's embedded metric format: at most one line for each invocation and scope, before its answer leaves, and
 * one for each call of `runOnce`. Until the function that it returns is called. A namespace is written to once, however often it is asked for.
 *
 * Throws `CONFIG_INVALID` for an unknown option, and for what is no namespace.
 *
 * @example
 * emf({ namespace: 'Shop' });
 */
export function emf(options: EmfOptions = {}): () => void {
  const { namespace = NAMESPACE } = parsed('emf', options, OPTIONS);
  const writer = writerTo(namespace);
  writer.users++;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    writer.users--;
    if (writer.users === 0) end(namespace, writer);
  };
}
