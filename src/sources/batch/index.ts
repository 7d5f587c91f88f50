import type { RecordSource } from './source.ts';
import { sqs } from './sqs.ts';

/** A batch is from the first source that all its records match. */
const SOURCES = [sqs] as readonly RecordSource<any>[];

/** The source of a batch; undefined: the event is no batch of a known source. */
export function recordSourceOf<R>(
  event: { readonly Records?: readonly unknown[] } | undefined,
): RecordSource<R> | undefined {
  const records = event?.Records;
  return Array.isArray(records) ? SOURCES.find(({ matches }) => records.every(matches)) : undefined;
}
