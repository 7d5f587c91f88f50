import { adoptable, type Decision, decide } from './decide.ts';
import { isIdempotencyError } from './errors.ts';
import type { Change, Claimed, IdempotencyRecord, Outcome } from './record.ts';
import type { Store, Written } from './store.ts';

/** Whoever claims; frozen when the request arrives, so a handler that mutates its event changes nothing. */
export interface ClaimRequest {
  readonly id: string;
  /** Random, one for each request: by it a run knows its own writes. */
  readonly owner: string;
  readonly fingerprint?: string | undefined;
  /** Epoch ms. */
  readonly leaseUntil: number;
  /** Ms an outcome is kept. */
  readonly retention: number;
}

export type Claim =
  | { readonly kind: 'acquired'; readonly lease: Claimed; readonly from?: Taken | undefined }
  | Exclude<Decision, { kind: 'mine' | 'take' }>;

/** What a takeover took; absent for a first claim. */
type Taken = Extract<Decision, { kind: 'take' }>['from'];

export type Settled =
  | { readonly kind: 'done' }
  | { readonly kind: 'adopted'; readonly outcome: Outcome }
  | { readonly kind: 'lost' };

/** Replaces lost in a row before a claim gives way to whoever keeps winning. */
const ROUNDS = 5;

/** Insert, else compare-and-swap on what was seen: one write when nobody is there. */
export async function claim(store: Store, request: ClaimRequest, now: () => number): Promise<Claim> {
  let seen: IdempotencyRecord | undefined;
  let from: Taken | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const next = claimed(request, seen, from, now());
    const written = await write(store, seen, next, request.retention, now);
    if (written.done) return { kind: 'acquired', lease: next, from };
    seen = written.found;
    from = undefined;
    if (!seen) continue; // deleted by TTL in between
    const decision = decide(seen, request, now());
    if (decision.kind === 'mine') return { kind: 'acquired', lease: decision.lease };
    if (decision.kind !== 'take') return decision;
    from = decision.from;
  }
  return { kind: 'conflict' };
}

/** Records the outcome under the lease. A run that was taken over adopts the winner's outcome instead. */
export function complete(
  store: Store,
  lease: Claimed,
  outcome: Outcome,
  retention: number,
  now: number,
): Promise<Settled> {
  const change = { status: 'COMPLETED', outcome, completedAt: now, expiresAt: seconds(now + retention) } as const;
  return settle(store, lease, change, now);
}

/** Gives the lease up without an outcome: the next request runs at once. */
export function release(store: Store, lease: Claimed, retention: number, now: number): Promise<Settled> {
  return settle(store, lease, { expiresAt: seconds(now + retention) }, now);
}

/** Prolongs the lease; false: it was lost. */
export async function extend(store: Store, lease: Claimed, leaseUntil: number, retention: number): Promise<boolean> {
  const written = await store.update(lease, { leaseUntil, expiresAt: seconds(leaseUntil + retention) });
  return written.done;
}

/** Records what a step ended with, under the lease; false: it was lost. */
export async function saveStep(store: Store, lease: Claimed, step: string, ended: Outcome): Promise<boolean> {
  const written = await store.update(lease, { step, ended });
  return written.done;
}

async function write(
  store: Store,
  seen: IdempotencyRecord | undefined,
  next: Claimed,
  retention: number,
  now: () => number,
): Promise<Written> {
  try {
    return seen ? await store.replace(seen, next) : await store.insert(next);
  } catch (error) {
    // It may have landed. Nothing has run, so what may be ours is given back; failing that, the lease runs out.
    if (isIdempotencyError(error) && error.retryable) await release(store, next, retention, now()).catch(() => {});
    throw error;
  }
}

async function settle(store: Store, lease: Claimed, change: Change, now: number): Promise<Settled> {
  const written = await store.update(lease, change);
  if (written.done) return { kind: 'done' };
  const { found } = written;
  if (found?.status === 'COMPLETED' && found.owner === lease.owner) return { kind: 'done' }; // an earlier try had landed
  const outcome = adoptable(found, lease, now);
  return outcome ? { kind: 'adopted', outcome } : { kind: 'lost' };
}

function claimed(
  request: ClaimRequest,
  seen: IdempotencyRecord | undefined,
  from: Taken | undefined,
  now: number,
): Claimed {
  // An expired key is a new operation; a run that failed or died is gone on with.
  const resumes = from === 'released' || from === 'abandoned';
  return {
    id: request.id,
    status: 'IN_PROGRESS',
    version: (seen?.version ?? 0) + 1,
    owner: request.owner,
    attempt: (seen?.attempt ?? 0) + 1,
    leaseUntil: request.leaseUntil,
    ...(request.fingerprint !== undefined && { fingerprint: request.fingerprint }),
    steps: resumes && seen?.status === 'IN_PROGRESS' ? seen.steps : {},
    claimedAt: now,
    expiresAt: seconds(request.leaseUntil + request.retention),
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
