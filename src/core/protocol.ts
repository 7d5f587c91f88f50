import { randomUUID } from 'node:crypto';
import { type Landing, landingOf, ownIn } from './decide.ts';
import { seconds } from './duration.ts';
import type { Change, Claimed, IdempotencyRecord, Outcome } from './record.ts';
import type { Store, TransactWrite, Written } from './store.ts';

/** A run with its claim, and what it writes with. */
export interface Holder {
  readonly store: Store;
  readonly lease: Claimed;
  /** Ms an outcome is kept. */
  readonly retention: number;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Records the outcome under the lease. A run that was taken over adopts the winner's outcome instead. */
export function complete(holder: Holder, outcome: Outcome): Promise<Landing> {
  return lastUpdate(holder, { kind: 'complete', ...completion(outcome, holder.retention, holder.now()) });
}

/** {@link complete} together with the user's writes. Its record is judged first, and then the user's conditions. */
export async function commit(
  { store, lease, retention, now }: Holder & { readonly store: Transacting },
  outcome: Outcome,
  writes: readonly TransactWrite[],
): Promise<Landing | Refused> {
  const change: Change = { kind: 'complete', ...completion(outcome, retention, now()), commit: randomUUID() };
  const written = await store.transact({ kind: 'update', held: lease, change }, writes);
  if ('refusal' in written) return { kind: 'refused', refusal: written.refusal };
  return landingOf(written, lease, change, now());
}

export type Transacting = Store & Required<Pick<Store, 'transact'>>;

/** A write of the user's was refused; nothing was written. */
export interface Refused {
  readonly kind: 'refused';
  readonly refusal: unknown;
}

/** Gives the lease up without an outcome: the next request runs at once. */
export function release(holder: Holder): Promise<Landing> {
  return lastUpdate(holder, releasing(holder.retention, holder.now()));
}

/** {@link release} of a run that has done nothing: the next request may have another payload. */
export function releaseForgotten(holder: Holder): Promise<Landing> {
  return lastUpdate(holder, { ...releasing(holder.retention, holder.now()), isForgotten: true });
}

/** `over`: an outcome of this very run is on record, so there is nothing to prolong. */
export type Extension = 'extended' | 'over' | 'lost';

/** Prolongs the lease, and moves the expiry with it. */
export async function extend(holder: Holder, leaseUntil: number, signal?: AbortSignal): Promise<Extension> {
  const { lease, retention } = holder;
  const written = await update(
    holder,
    { kind: 'extend', leaseUntil, ...expiry(lease, leaseUntil + retention) },
    signal,
  );
  if (written.done) return 'extended';
  switch (ownIn(written, lease)?.status) {
    case 'IN_PROGRESS':
      return 'extended'; // further: by a later extension, which came first
    case 'COMPLETED':
      return 'over';
    default:
      return 'lost';
  }
}

/** Ends a lease that was taken from a lost run, before anything was done: the outcome stays unknown. */
export async function surrender(holder: Holder): Promise<void> {
  const leaseUntil = holder.now();
  await update(holder, { kind: 'end', leaseUntil, ...expiry(holder.lease, leaseUntil + holder.retention) });
}

/** Records the outcome of a step. False: the lease was lost. */
export async function saveStep(holder: Holder, name: string, outcome: Outcome): Promise<boolean> {
  const written = await update(holder, { kind: 'step', name, outcome });
  // A commit of the same run has come first: its steps are over.
  return written.done || ownIn(written, holder.lease)?.status === 'COMPLETED';
}

/** A decision on an unknown outcome. */
export interface Decided {
  /** Undefined: the key is released, as after a failure. */
  readonly outcome: Outcome | undefined;
  readonly owner: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
  /** Epoch ms. */
  readonly now: number;
}

/** Decides the unknown outcome of a record. False: another write came first. */
export async function decideUnknown(
  store: Store,
  seen: Claimed,
  { outcome, owner, expiresAt, now }: Decided,
): Promise<boolean> {
  const { status, owner: _, leaseUntil, ...kept } = seen;
  const { steps, ...identity } = kept;
  const common = { version: seen.version + 1, expiresAt };
  const next: IdempotencyRecord = outcome
    ? { ...identity, ...common, status: 'COMPLETED', owner, outcome, completedAt: now }
    : { ...kept, ...common, status: 'IN_PROGRESS' };
  const written = await store.write({ kind: 'replace', seen, next });
  return written.done || (written.found?.version === next.version && written.found.owner === next.owner);
}

function lastUpdate(holder: Holder, change: Change): Promise<Landing> {
  // The time is read again: the answer may have taken long.
  return update(holder, change).then((written) => landingOf(written, holder.lease, change, holder.now()));
}

function update({ store, lease }: Holder, change: Change, signal?: AbortSignal): Promise<Written> {
  return store.write({ kind: 'update', held: lease, change }, signal);
}

/** What is new of a record by its completion at `now`. */
export function completion(outcome: Outcome, retention: number, now: number) {
  return { outcome, completedAt: now, expiresAt: seconds(now + retention) };
}

/** The record that a completion makes, as far as it says how long its outcome is kept. */
export function completing({ lease, retention, now }: Holder): Pick<Claimed, 'id' | 'owner' | 'expiresAt'> {
  return { ...lease, expiresAt: seconds(now() + retention) };
}

/** A release at `now`. */
export function releasing(retention: number, now: number): Extract<Change, { kind: 'release' }> {
  return { kind: 'release', expiresAt: seconds(now + retention) };
}

function expiry(lease: Claimed, at: number): Pick<Claimed, 'expiresAt'> {
  return { expiresAt: lease.expiresAt === undefined ? undefined : seconds(at) };
}
