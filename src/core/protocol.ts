import { adoptable, type Decision, decide, isUnknown } from './decide.ts';
import { isIdempotencyError } from './errors.ts';
import type { Change, Claimed, Completed, Completion, IdempotencyRecord, Outcome } from './record.ts';
import type { Store, TransactWrite, Written } from './store.ts';

/** Whoever claims; frozen when the request arrives, so a handler that mutates its event changes nothing. */
export interface ClaimRequest {
  readonly id: string;
  /** Random, one for each request: by it a run knows its own writes. */
  readonly owner: string;
  readonly fingerprint?: string | undefined;
  /** Epoch ms at which a lease ends that is taken at `now`. */
  readonly leaseUntil: (now: number) => number;
  /** Ms an outcome is kept. */
  readonly retention: number;
  /** @default 'rerun' */
  readonly onUnknown?: UnknownPolicy;
}

/** What becomes of an unknown outcome; only where it is rerun may a record in progress expire. */
type UnknownPolicy = 'rerun' | 'refuse' | 'reconcile';

export type Claim =
  | { readonly kind: 'acquired'; readonly lease: Claimed; readonly taken?: Taken | undefined }
  | Exclude<Decision, { kind: 'mine' | 'take' }>;

/** What a takeover took; a first claim took nothing. */
export interface Taken {
  readonly from: Extract<Decision, { kind: 'take' }>['from'];
  readonly seen: IdempotencyRecord;
}

export type Settled =
  | { readonly kind: 'done' }
  | { readonly kind: 'adopted'; readonly outcome: Outcome }
  | { readonly kind: 'lost' };

/** Replaces lost in a row before a claim gives way to whoever keeps winning. */
const ROUNDS = 5;

/** Insert, else compare-and-swap on what was seen: one write when nobody is there. */
export async function claim(store: Store, request: ClaimRequest, now: () => number): Promise<Claim> {
  let taken: Taken | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const next = claimed(request, taken, now());
    const written = await write(store, taken, next, request, now);
    if (written.done) return { kind: 'acquired', lease: next, taken };
    const seen = written.found;
    const decision = seen && decide(seen, request, now());
    if (!decision)
      taken = undefined; // deleted by TTL in between
    else if (decision.kind === 'mine') return { kind: 'acquired', lease: decision.lease, taken };
    else if (decision.kind === 'take') taken = { from: decision.from, seen };
    else return decision;
  }
  return { kind: 'conflict' };
}

/** Records the outcome under the lease. A run that was taken over adopts the winner's outcome instead. */
export function complete(
  store: Store,
  lease: Claimed,
  outcome: Outcome,
  retention: number,
  now: () => number,
): Promise<Settled> {
  return settle(store, lease, completion(outcome, retention, now()), now);
}

/** {@link complete} together with the user's writes. The record is judged first; only if it is clean is a write's refusal told. */
export async function commit(
  store: Transacting,
  lease: Claimed,
  outcome: Outcome,
  writes: readonly TransactWrite[],
  retention: number,
  now: () => number,
): Promise<Settled | Refused> {
  const change = completion(outcome, retention, now());
  const written = await store.transact({ held: lease, completion: change }, writes);
  return 'refusal' in written ? { kind: 'refused', refusal: written.refusal } : judge(written, lease, change, now());
}

/** Claims and completes in one transaction with the user's writes: {@link claim}, for a run that needs no lease. */
export async function commitUnclaimed(
  store: Transacting,
  request: Omit<ClaimRequest, 'leaseUntil'>,
  outcome: Outcome,
  writes: readonly TransactWrite[],
  now: () => number,
): Promise<{ readonly kind: 'done' } | Refused | Exclude<Claim, { kind: 'acquired' }>> {
  let seen: IdempotencyRecord | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const next = completed(request, seen, outcome, now());
    const written = await store.transact({ next, seen }, writes);
    if ('refusal' in written) return { kind: 'refused', refusal: written.refusal };
    if (written.done) return { kind: 'done' };
    seen = written.found;
    if (seen?.status === 'COMPLETED' && seen.owner === request.owner) return { kind: 'done' }; // an earlier try had landed
    const decision = seen && decide(seen, request, now());
    if (decision && decision.kind !== 'take' && decision.kind !== 'mine') return decision;
  }
  return { kind: 'conflict' };
}

type Transacting = Store & Required<Pick<Store, 'transact'>>;

/** A write of the user's was refused, by this error; nothing was written. */
interface Refused {
  readonly kind: 'refused';
  readonly refusal: unknown;
}

function completion(outcome: Outcome, retention: number, now: number): Completion {
  return { status: 'COMPLETED', outcome, completedAt: now, expiresAt: seconds(now + retention) };
}

/** Gives the lease up without an outcome: the next request runs at once. */
export function release(store: Store, lease: Claimed, retention: number, now: () => number): Promise<Settled> {
  return settle(store, lease, { expiresAt: seconds(now() + retention) }, now);
}

/** Prolongs the lease, and moves the expiry of a record that has one; false: the lease was lost. */
export async function extend(store: Store, lease: Claimed, leaseUntil: number, retention: number): Promise<boolean> {
  const written = await store.update(lease, { leaseUntil, ...expiry(lease, leaseUntil + retention) });
  // Refused though it is mine: a later extension came first.
  return written.done || (written.found?.status === 'IN_PROGRESS' && written.found.owner === lease.owner);
}

/** Ends a lease that was taken from a run that died, before this one has done anything: the outcome is unknown as before. */
export async function surrender(store: Store, lease: Claimed, retention: number, now: () => number): Promise<void> {
  const leaseEnded = now();
  await store.update(lease, { leaseEnded, ...expiry(lease, leaseEnded + retention) });
}

function expiry(lease: Claimed, at: number): Pick<Claimed, 'expiresAt'> {
  return { expiresAt: lease.expiresAt === undefined ? undefined : seconds(at) };
}

/** Records what a step ended with, under the lease; false: it was lost. */
export async function saveStep(store: Store, lease: Claimed, step: string, ended: Outcome): Promise<boolean> {
  const written = await store.update(lease, { step, ended });
  return written.done;
}

/**
 * Ends an unknown outcome from outside: with an outcome, or without one as if its run had failed and said so.
 * `'known'`: there is none to end. `'changed'`: somebody was quicker.
 */
export async function end(
  store: Store,
  id: string,
  outcome: Outcome | undefined,
  by: { readonly owner: string; readonly retention: number; readonly now: number },
): Promise<'done' | 'known' | 'changed'> {
  const seen = await look(store, id);
  if (!seen || !isUnknown(seen, by.now)) return 'known';
  const { status, owner, leaseUntil, expiresAt, ...kept } = seen;
  const { steps, ...identity } = kept;
  const common = { version: seen.version + 1, expiresAt: seconds(by.now + (seen.retention ?? by.retention)) };
  const next: IdempotencyRecord = outcome
    ? { ...identity, ...common, status: 'COMPLETED', owner: by.owner, outcome, completedAt: by.now }
    : { ...kept, ...common, status: 'IN_PROGRESS' };
  const written = await store.replace(seen, next);
  const landed = written.done || (written.found?.version === next.version && written.found.owner === next.owner);
  return landed ? 'done' : 'changed';
}

// A replace of what never was cannot land, and hands back what is: no store has to read.
async function look(store: Store, id: string): Promise<IdempotencyRecord | undefined> {
  const never = { id, status: 'IN_PROGRESS', version: 0, attempt: 0, claimedAt: 0, steps: {} } as const;
  const written = await store.replace(never, never);
  return written.done ? undefined : written.found;
}

async function write(
  store: Store,
  taken: Taken | undefined,
  next: Claimed,
  { retention }: ClaimRequest,
  now: () => number,
): Promise<Written> {
  try {
    return taken ? await store.replace(taken.seen, next) : await store.insert(next);
  } catch (error) {
    // It may have landed. Nothing has run, so what may be ours is given back; failing that, the lease runs out.
    const giveBack = taken?.from === 'abandoned' ? surrender : release;
    if (isIdempotencyError(error) && error.retryable) await giveBack(store, next, retention, now).catch(() => {});
    throw error;
  }
}

async function settle(store: Store, lease: Claimed, change: Change, now: () => number): Promise<Settled> {
  return judge(await store.update(lease, change), lease, change, now()); // the answer may have taken long
}

function judge(written: Written, lease: Claimed, change: Change, now: number): Settled {
  if (written.done) return { kind: 'done' };
  const { found } = written;
  if (found?.status === 'COMPLETED' && found.owner === lease.owner) return { kind: 'done' }; // an earlier try had landed
  const isReleased = found?.status === 'IN_PROGRESS' && found.owner === undefined && found.attempt === lease.attempt;
  if (isReleased && !('outcome' in change)) return { kind: 'done' }; // likewise
  const outcome = adoptable(found, lease, now);
  return outcome ? { kind: 'adopted', outcome } : { kind: 'lost' };
}

function claimed(request: ClaimRequest, taken: Taken | undefined, now: number): Claimed {
  const { id, owner, retention, fingerprint, onUnknown = 'rerun' } = request;
  const leaseUntil = request.leaseUntil(now);
  const { version = 0, attempt = 0 } = taken?.seen ?? {};
  // An expired key is a new operation; what a run that failed or died has done is gone on with.
  const earlier = taken?.from !== 'expired' && taken?.seen.status === 'IN_PROGRESS' ? taken.seen.steps : {};
  return {
    id,
    status: 'IN_PROGRESS',
    version: version + 1,
    owner,
    attempt: attempt + 1,
    leaseUntil,
    fingerprint,
    steps: earlier,
    claimedAt: now,
    ...(onUnknown === 'rerun' ? { expiresAt: seconds(leaseUntil + retention) } : { retention }),
  };
}

function completed(
  { id, owner, fingerprint, retention }: Omit<ClaimRequest, 'leaseUntil'>,
  seen: IdempotencyRecord | undefined,
  outcome: Outcome,
  now: number,
): Completed {
  const { version = 0, attempt = 0 } = seen ?? {};
  return {
    id,
    version: version + 1,
    owner,
    attempt: attempt + 1,
    fingerprint,
    claimedAt: now,
    ...completion(outcome, retention, now),
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
