import type { Change } from '../core/record.ts';
import type { Call, Write } from '../core/store.ts';

/** What can be told apart of a store's calls. */
export type Operation = Write['kind'] | Exclude<Call['to'], 'write'>;

export function operationOf(call: Call): Operation {
  return call.to === 'write' ? call.write.kind : call.to;
}

/** The owner of the run that writes; undefined: an operator does. */
export function writerOf(write: Write): string | undefined {
  return write.kind === 'update' ? write.held.owner : write.next.owner;
}

/** What a call is in the words of the protocol, such as "the claim". */
export function nameOf(call: Call): string {
  switch (call.to) {
    case 'keep':
      return 'the write of a value';
    case 'load':
      return 'the read of a value';
    case 'read':
      return 'the read of a record';
    case 'scan':
      return 'the scan of the table';
    case 'transact':
      return 'the commit';
    case 'write':
      return nameOfWrite(call.write);
  }
}

function nameOfWrite(write: Write): string {
  if (write.kind === 'insert') return 'the claim';
  if (write.kind === 'update') return nameOfChange(write.change);
  const { seen, next } = write;
  if (next.status === 'COMPLETED' || next.owner === undefined) return 'the word on an unknown outcome';
  return seen.owner === undefined ? 'the claim of a released key' : 'the takeover';
}

function nameOfChange(change: Change): string {
  const names: Record<Change['kind'], string> = {
    complete: 'the completion',
    extend: 'the extension',
    end: 'the surrender',
    step: `the record of step "${change.kind === 'step' ? change.name : ''}"`,
    release: 'the release',
  };
  return names[change.kind];
}
