import { misuse } from '../../core/errors.ts';
import type { TransactWrite } from '../../core/store.ts';

/** DynamoDB's limits, less our own action. */
const MOST_WRITES = 99;
const MOST_BYTES = 4 * 1024 * 1024;
const KINDS = ['Put', 'Update', 'Delete', 'ConditionCheck'];

/** Why DynamoDB would refuse the writes of a commit, or why they are not the user's to write: `id` is the run's own record. */
export function refusalOf(writes: readonly TransactWrite[], id: string): unknown {
  if (writes.length > MOST_WRITES) return misuse(`commit got ${writes.length} writes; expected at most ${MOST_WRITES}`);
  for (const write of writes) {
    const [[kind, parameters] = ['', {}], ...more] = Object.entries<{ Key?: any; Item?: any }>(write ?? {});
    if (more.length > 0 || !KINDS.includes(kind)) return misuse(`a write of a commit is one of ${KINDS.join(', ')}`);
    if ((parameters?.Key ?? parameters?.Item)?.id === id) return misuse('a commit cannot write its own record');
  }
  try {
    return sizeOf(writes) > MOST_BYTES ? misuse('the writes of a commit are larger than 4 MB') : undefined;
  } catch (error) {
    return error; // a cycle, for example: it could not be sent either
  }
}

// An estimate: DynamoDB itself counts exactly.
function sizeOf(writes: unknown): number {
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Set) return [...value];
    return ArrayBuffer.isView(value) ? 'x'.repeat(value.byteLength) : value;
  };
  return Buffer.byteLength(JSON.stringify(writes, plain));
}
