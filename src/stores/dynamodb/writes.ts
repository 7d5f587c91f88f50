import { misuse } from '../../core/errors.ts';
import type { TransactWrite } from '../../core/store.ts';

/** DynamoDB's limits, less our own action. */
const MOST_WRITES = 99;
const MOST_BYTES = 4 * 1024 * 1024;
const KINDS = ['Put', 'Update', 'Delete', 'ConditionCheck'];

/** Throws for writes of a commit that DynamoDB would refuse, and for those to the records' own table, by name or ARN. */
export function checkWrites(writes: readonly TransactWrite[], tableName: string | undefined): void {
  if (writes.length > MOST_WRITES) throw misuse(`commit got ${writes.length} writes; expected at most ${MOST_WRITES}`);
  for (const write of writes) {
    const [[kind, parameters] = ['', {}], ...more] = Object.entries<{ TableName?: unknown }>(write ?? {});
    if (more.length > 0 || !KINDS.includes(kind)) throw misuse(`a write of a commit is one of ${KINDS.join(', ')}`);
    if (tableName !== undefined && isOneTable(String(parameters?.TableName), tableName)) {
      throw misuse('a commit cannot write to the idempotency table');
    }
  }
  if (sizeOf(writes) > MOST_BYTES) throw misuse('the writes of a commit are larger than 4 MB');
}

// Two ARNs name one table if they are equal. A name may be that of any ARN: its client says which account and region is meant.
function isOneTable(a: string, b: string): boolean {
  const isName = !a.startsWith('arn:') || !b.startsWith('arn:');
  return isName ? nameOf(a) === nameOf(b) : a === b;
}

function nameOf(table: string): string {
  return table.replace(/^arn:.*:table\//, '');
}

// An estimate: DynamoDB itself counts exactly. Throws for a cycle, which could not be sent either.
function sizeOf(writes: unknown): number {
  // `this`: bytes have been made JSON of before they come as `value`.
  function plain(this: any, name: string, value: unknown): unknown {
    const given: unknown = this[name];
    if (ArrayBuffer.isView(given)) return 'x'.repeat(given.byteLength);
    if (typeof value === 'bigint') return String(value);
    return value instanceof Set ? [...value] : value;
  }
  return Buffer.byteLength(JSON.stringify(writes, plain));
}
