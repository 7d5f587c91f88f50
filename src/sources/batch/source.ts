import type { EventSource } from '../source.ts';

/** A source of records: also says how a record is reported, and which records keep their order. */
export interface RecordSource<R> extends EventSource<R> {
  /** AWS's `itemIdentifier`. */
  readonly identify: (record: R) => string;
  /** Records of one group run one after the other, and stop at a failure. */
  readonly group: (record: R) => string | undefined;
  /** How often it was received, as far as its source says. */
  readonly received: (record: R) => number;
}
