import { IdempotencyError } from '../../core/errors.ts';
import { FINGERPRINT_VERSION } from '../../core/identity.ts';
import type { IdempotencyRecord } from '../../core/record.ts';
import { MOST_CHUNKS } from '../chunk.ts';
import { FORMAT, fromAttributes, type Item, itemId } from './item.ts';

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string';
const bytes: Check = (value) => value instanceof Uint8Array;
const number: Check = Number.isFinite;
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) > 0;
const absent: Check = (value) => value === undefined;
const object: Check = (value) => typeof value === 'object' && value !== null && !bytes(value);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const optional = (check: Check): Check => either(absent, check);
const shaped =
  (shape: Shape): Check =>
  (value) =>
    object(value) && faultIn(value as Item, shape) === undefined;

const BRIEF = shaped({ name: text, message: text, status: optional(number), statusCode: optional(number) });
const BODY = {
  body: optional(either(text, bytes)),
  codec: optional(text),
  stored: optional(
    either(
      shaped({ packed: text, at: absent, chunks: absent }),
      shaped({ packed: optional(text), at: text, chunks: (value) => count(value) && Number(value) <= MOST_CHUNKS }),
    ),
  ),
};
const is =
  (name: string): Check =>
  (value) =>
    value === name;
const OUTCOME = either(
  shaped({ ...BODY, kind: is('value'), error: optional(BRIEF) }),
  shaped({ ...BODY, kind: is('error'), error: BRIEF }),
  shaped({ kind: is('unavailable'), body: text }),
);
const IDENTITY = shaped({
  key: optional(text),
  operation: optional(text),
  principal: optional(text),
  cut: optional(text),
});
const STEPS: Check = (value) => object(value) && Object.values(value as object).every(OUTCOME);

const COMMON = {
  version: count,
  attempt: count,
  claimedAt: number,
  source: optional(text),
  fingerprint: optional(text),
  expiresAt: optional(number),
  retention: optional(number),
};
const COMPLETED: Shape = {
  ...COMMON,
  owner: text,
  expiresAt: number,
  outcome: OUTCOME,
  completedAt: number,
  commit: optional(text),
};
const CLAIMED: Shape = { ...COMMON, owner: text, leaseUntil: number, steps: STEPS };
const RELEASED: Shape = { ...COMMON, leaseUntil: optional((value) => value === 0), steps: STEPS };

/** Throws `CONFIG_INVALID` for an item of another tool, of a newer layout, or with missing or wrong attributes. */
export function toRecord(item: Item): IdempotencyRecord {
  const { format, ...attributes } = item;
  if (!format || !('N' in format) || Number(format.N) !== FORMAT) {
    throw invalid(item, 'was not written by this version of effectively-once');
  }
  const record = fromAttributes(attributes);
  if (isOfLaterVersion(record['fingerprint']))
    throw invalid(item, 'has a fingerprint of a later version of effectively-once');
  if (!IDENTITY(record['identity'])) delete record['identity']; // nothing depends on it
  const shape = shapeOf(record);
  const fault = faultIn(record, shape);
  if (fault) throw invalid(item, `is damaged: \`${fault}\` is missing or invalid`);
  // A group of writes can remove only one attribute of an item, and empties the other.
  if (shape === COMPLETED) delete record['steps'];
  if (shape === RELEASED) delete record['leaseUntil'];
  return record as unknown as IdempotencyRecord;
}

// It could not be compared.
function isOfLaterVersion(fingerprint: unknown): boolean {
  return /^\d+:/.test(String(fingerprint)) && !String(fingerprint).startsWith(FINGERPRINT_VERSION);
}

function shapeOf({ status, owner }: Readonly<Record<string, unknown>>): Shape {
  if (status === 'COMPLETED') return COMPLETED;
  if (status !== 'IN_PROGRESS') return { status: is('IN_PROGRESS') };
  return owner === undefined ? RELEASED : CLAIMED;
}

/** The first member that is not what it must be. */
function faultIn(value: object, shape: Shape): string | undefined {
  const members = value as Record<string, unknown>;
  return Object.entries(shape).find(([name, check]) => !check(members[name]))?.[0];
}

function invalid(item: Item, what: string): IdempotencyError {
  const id = itemId(item);
  return new IdempotencyError('CONFIG_INVALID', `the record "${id}" ${what}`, { id });
}
