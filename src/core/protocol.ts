import { type Decision, decide, isUnknown, type Landing, landingOf } from './decide.ts';
import { isIdempotencyError } from './errors.ts';
import type { Change, Claimed, Completed, IdempotencyRecord, Outcome } from './record.ts';
import type { Store, TransactWrite, Write, Written } from './store.ts';

/** A request for a claim. Frozen on arrival: a handler that changes its event changes nothing here. */
export interface ClaimRequest {
  readonly id: string;
  /** Random, one per request. A run recognises its own writes by it. */
  readonly owner: string;
  readonly fingerprint?: string | undefined;
  /** When a lease ends that is taken at `now`; both in epoch ms. */
  readonly leaseUntil: (now: number) => number;
  /** Ms an outcome is kept. */
  readonly retention: number;
  /**
   * What becomes of an unknown outcome; only if it is rerun may a record in progress expire.
   * @default 'rerun'
   */
  readonly onUnknown?: 'rerun' | 'refuse' | 'reconcile';
}

export type Claim =
  | { readonly kind: 'acquired'; readonly lease: Claimed; readonly takeover?: Takeover | undefined }
  | Exclude<Decision, { kind: 'mine' | 'take' }>;

/** The record that a claim took; a first claim took none. */
export interface Takeover {
  readonly from: Extract<Decision, { kind: 'take' }>['from'];
  readonly seen: IdempotencyRecord;
}

/** A run with its claim, and what it writes with. */
export interface Holder {
  readonly store: Store;
  readonly lease: Claimed;
  /** Ms an outcome is kept. */
  readonly retention: number;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Writes that a claim may lose in a row before it gives way. */
const ROUNDS = 5;

/** Inserts a record, or else replaces the one that was seen. A new key takes one write. */
export async function claim(store: Store, request: ClaimRequest, now: () => number): Promise<Claim> {
  let takeover: Takeover | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const holder = { store, lease: leaseOf(request, takeover, now()), retention: request.retention, now };
    const written = await tryClaim(holder, takeover);
    if (written.done) return { kind: 'acquired', lease: holder.lease, takeover };
    const seen = written.found;
    const decision = seen && decide(seen, request, now());
    if (!decision)
      takeover = undefined; // deleted by TTL in between
    else if (decision.kind === 'mine') return { kind: 'acquired', lease: decision.lease, takeover };
    else if (decision.kind === 'take') takeover = { from: decision.from, seen };
    else return decision;
  }
  return { kind: 'conflict' };
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
  const change: Change = { kind: 'complete', ...completion(outcome, retention, now()) };
  const written = await store.transact({ kind: 'update', held: lease, change }, writes);
  if ('refusal' in written) return { kind: 'refused', refusal: written.refusal };
  return landingOf(written, lease, change, now());
}

/** A claim and its commit in one. */
export interface UnclaimedCommit extends Omit<ClaimRequest, 'leaseUntil'> {
  readonly outcome: Outcome;
  readonly writes: readonly TransactWrite[];
}

/** Claims and completes in one transaction with the user's writes: {@link claim}, for a run that needs no lease. */
export async function commitUnclaimed(
  store: Transacting,
  request: UnclaimedCommit,
  now: () => number,
): Promise<{ readonly kind: 'done' } | Refused | Exclude<Claim, { kind: 'acquired' }>> {
  let seen: IdempotencyRecord | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const next = completedBy(request, seen, now());
    const write: Write = seen ? { kind: 'replace', seen, next } : { kind: 'insert', next };
    const written = await store.transact(write, request.writes);
    if (written.done) return { kind: 'done' };
    if ('refusal' in written) return { kind: 'refused', refusal: written.refusal };
    seen = written.found;
    if (seen?.status === 'COMPLETED' && seen.owner === request.owner) return { kind: 'done' }; // an earlier try had landed
    const decision = seen && decide(seen, request, now());
    if (decision && decision.kind !== 'take' && decision.kind !== 'mine') return decision;
  }
  return { kind: 'conflict' };
}

export type Transacting = Store & Required<Pick<Store, 'transact'>>;

/** A write of the user's was refused; nothing was written. */
interface Refused {
  readonly kind: 'refused';
  readonly refusal: unknown;
}

/** Gives the lease up without an outcome: the next request runs at once. */
export function release(holder: Holder): Promise<Landing> {
  return lastUpdate(holder, { kind: 'release', expiresAt: seconds(holder.now() + holder.retention) });
}

/** Prolongs the lease, and moves the expiry with it. False: the lease was lost. */
export async function extend(holder: Holder, leaseUntil: number, signal?: AbortSignal): Promise<boolean> {
  const { lease, retention } = holder;
  const written = await update(
    holder,
    { kind: 'extend', leaseUntil, ...expiry(lease, leaseUntil + retention) },
    signal,
  );
  // Refused although the lease is ours: a later extension came first.
  return written.done || (written.found?.status === 'IN_PROGRESS' && written.found.owner === lease.owner);
}

/** Ends a lease that was taken from a lost run, before anything was done: the outcome stays unknown. */
export async function surrender(holder: Holder): Promise<void> {
  const leaseUntil = holder.now();
  await update(holder, { kind: 'end', leaseUntil, ...expiry(holder.lease, leaseUntil + holder.retention) });
}

/** Records the outcome of a step. False: the lease was lost. */
export async function saveStep(holder: Holder, name: string, outcome: Outcome): Promise<boolean> {
  const { done } = await update(holder, { kind: 'step', name, outcome });
  return done;
}

/** A decision on an unknown outcome. */
export interface Decided {
  readonly id: string;
  /** Undefined: the key is released, as after a failure. */
  readonly outcome: Outcome | undefined;
  readonly owner: string;
  /** Ms, if the record does not say. */
  readonly retention: number;
  /** Epoch ms. */
  readonly now: number;
}

/** Decides an unknown outcome. `'known'`: there is none. `'changed'`: another write came first. */
export async function decideUnknown(
  store: Store & Required<Pick<Store, 'read'>>,
  { id, outcome, owner, retention, now }: Decided,
): Promise<'done' | 'known' | 'changed'> {
  const seen = await store.read(id);
  if (!seen || !isUnknown(seen, now)) return 'known';
  const { status, owner: _, leaseUntil, expiresAt, ...kept } = seen;
  const { steps, ...identity } = kept;
  const common = { version: seen.version + 1, expiresAt: seconds(now + (seen.retention ?? retention)) };
  const next: IdempotencyRecord = outcome
    ? { ...identity, ...common, status: 'COMPLETED', owner, outcome, completedAt: now }
    : { ...kept, ...common, status: 'IN_PROGRESS' };
  const written = await store.write({ kind: 'replace', seen, next });
  const hasLanded = written.done || (written.found?.version === next.version && written.found.owner === next.owner);
  return hasLanded ? 'done' : 'changed';
}

async function tryClaim(holder: Holder, takeover: Takeover | undefined): Promise<Written> {
  const { store, lease } = holder;
  try {
    const write: Write = takeover
      ? { kind: 'replace', seen: takeover.seen, next: lease }
      : { kind: 'insert', next: lease };
    return await store.write(write);
  } catch (error) {
    // The write may have landed. Nothing has run, so the key is given back; if that fails, the lease runs out.
    const giveBack = takeover?.from === 'abandoned' ? surrender : release;
    if (isIdempotencyError(error) && error.retryable) await giveBack(holder).catch(() => {});
    throw error;
  }
}

async function lastUpdate(holder: Holder, change: Change): Promise<Landing> {
  const written = await update(holder, change);
  return landingOf(written, holder.lease, change, holder.now()); // read again: the answer may have taken long
}

function update({ store, lease }: Holder, change: Change, signal?: AbortSignal): Promise<Written> {
  return store.write({ kind: 'update', held: lease, change }, signal);
}

function leaseOf(request: ClaimRequest, takeover: Takeover | undefined, now: number): Claimed {
  const { id, owner, retention, fingerprint, onUnknown = 'rerun' } = request;
  const leaseUntil = request.leaseUntil(now);
  const { version = 0, attempt = 0 } = takeover?.seen ?? {};
  // An expired key is a new operation. After a failed or lost run, its steps are kept.
  const steps = takeover?.from !== 'expired' && takeover?.seen.status === 'IN_PROGRESS' ? takeover.seen.steps : {};
  return {
    id,
    status: 'IN_PROGRESS',
    version: version + 1,
    owner,
    attempt: attempt + 1,
    leaseUntil,
    fingerprint,
    steps,
    claimedAt: now,
    ...(onUnknown === 'rerun' ? { expiresAt: seconds(leaseUntil + retention) } : { retention }),
  };
}

function completedBy(
  { id, owner, fingerprint, retention, outcome }: UnclaimedCommit,
  seen: IdempotencyRecord | undefined,
  now: number,
): Completed {
  const { version = 0, attempt = 0 } = seen ?? {};
  return {
    id,
    status: 'COMPLETED',
    version: version + 1,
    owner,
    attempt: attempt + 1,
    fingerprint,
    claimedAt: now,
    ...completion(outcome, retention, now),
  };
}

function completion(outcome: Outcome, retention: number, now: number) {
  return { outcome, completedAt: now, expiresAt: seconds(now + retention) };
}

function expiry(lease: Claimed, at: number): Pick<Claimed, 'expiresAt'> {
  return { expiresAt: lease.expiresAt === undefined ? undefined : seconds(at) };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
