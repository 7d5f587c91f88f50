import type { RecordSource } from './source.ts';
import { sqs } from './sqs.ts';

/** The first that all of a batch's records match is its source. */
const SOURCES = [sqs] as readonly RecordSource<unknown>[];

/** Undefined: the event is no batch of a known source. */
export function recordSourceOf<R>(
  event: { readonly Records?: readonly unknown[] } | undefined,
): RecordSource<R> | undefined {
  const records = event?.Records;
  return Array.isArray(records) ? SOURCES.find(({ matches }) => records.every(matches)) : undefined;
}
