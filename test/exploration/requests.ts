import type { Change } from '../../src/core/record.ts';
import { idOf, type Write } from '../../src/core/store.ts';
import type { Request, StoreRequest } from './executor.ts';

export function isOfStore(request: Request): request is StoreRequest {
  return request.kind === 'write' || request.kind === 'transact';
}

/** Whether only the owner of a record may do it. */
export function isOwners({ write }: StoreRequest): boolean {
  return write.kind === 'update';
}

export function isRelease(request: StoreRequest): boolean {
  return changeOf(request)?.kind === 'release';
}

/** The executor that sent it. */
export function writerOf({ write }: StoreRequest): number {
  return Number.parseInt(`${write.kind === 'update' ? write.held.owner : write.next.owner}`, 10);
}

/** Whether it takes a key, for a run. */
export function isClaim({ kind, write }: StoreRequest): boolean {
  return kind === 'write' && write.kind !== 'update' && 'leaseUntil' in write.next;
}

/** Whether it may share a request with writes of other records. */
export function isGroupable(request: Request): request is StoreRequest {
  if (request.kind !== 'write') return false;
  const kind = changeOf(request)?.kind ?? request.write.kind;
  return kind === 'insert' || kind === 'complete' || kind === 'release';
}

/** Whether it takes the place of a takeover that was given up. */
export function isFence({ kind, write }: StoreRequest): boolean {
  return kind === 'write' && write.kind === 'replace' && write.seen.owner === write.next.owner;
}

export function isExtension(request: StoreRequest): boolean {
  return changeOf(request)?.kind === 'extend';
}

export function isStep(request: Request): boolean {
  if (request.kind === 'effect') return request.name.startsWith('step');
  return isOfStore(request) && changeOf(request)?.kind === 'step';
}

/** Whether a run that gets no answer to it cannot be sure of its end. */
export function isDecisive(request: StoreRequest): boolean {
  const { kind } = changeOf(request) ?? {};
  return request.kind === 'transact' || kind === 'complete' || kind === 'step' || kind === 'release';
}

/** The record that is written; `two` if it sees one and writes another. */
export function recordIdOf({ write }: StoreRequest): string {
  return write.kind === 'replace' && write.seen.id !== write.next.id ? 'two' : idOf(write);
}

export function nameOf({ kind, write }: StoreRequest): string {
  if (kind === 'transact') return kind;
  return write.kind === 'update' ? NAMES[write.change.kind] : write.kind;
}

const NAMES: Record<Change['kind'], string> = {
  complete: 'completion',
  step: 'step',
  release: 'release',
  end: 'surrender',
  extend: 'extension',
};

function changeOf({ write }: { readonly write: Write }): Change | undefined {
  return write.kind === 'update' ? write.change : undefined;
}
