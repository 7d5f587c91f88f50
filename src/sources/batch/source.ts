import type { EventSource } from '../source.ts';

/** Records of an event source mapping: besides identity, how one is reported and what must stay in order. */
export interface RecordSource<R> extends EventSource<R> {
  /** AWS's `itemIdentifier`. */
  readonly identify: (record: R) => string;
  /** Records of one group run one after the other, and none after a failure. */
  readonly group: (record: R) => string | undefined;
}
