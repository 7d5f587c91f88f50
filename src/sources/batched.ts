import { misuse } from '../core/errors.ts';
import { BATCHES } from './batch/index.ts';
import { type RecordKind, recordsIn } from './batch/source.ts';
import { sqs } from './batch/sqs.ts';
import { membersOf } from './members.ts';
import { plain } from './plain.ts';
import type { EventSource } from './source.ts';

/** Whole batches, for the doors that take an event as one: only under a key of the user's. */
export const BATCHED = BATCHES.map((kind) => whole(kind === sqs ? { ...kind, matches: isMessage } : kind));

// More than `idempotentBatch` asks for: any event may hold records with a messageId.
function isMessage(record: unknown): boolean {
  const { eventSource, body } = membersOf(record);
  return eventSource === 'aws:sqs' && typeof body === 'string';
}

function whole({ name, title, matches, payload }: RecordKind<unknown>): EventSource<unknown> {
  return {
    ...plain,
    name,
    matches: (event) => {
      const records = recordsIn(event);
      return records.length > 0 && records.every(matches);
    },
    key: () => {
      throw misuse(
        `an event of ${title} holds a batch of records: use \`idempotentBatch\`, or give \`key\` to take it as one`,
      );
    },
    payload: (event) => recordsIn(event).map(payload),
    formerPayload: (event) => event,
    words: {
      ...plain.words,
      conflict: 'Lambda delivers the batch again',
      mismatch: 'other records: another batch needs another key',
    },
  };
}
