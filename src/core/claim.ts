import { randomUUID } from 'node:crypto';
import { type Decision, decide, ownIn } from './decide.ts';
import { seconds } from './duration.ts';
import { isInDoubt } from './errors.ts';
import { completion, type Holder, type Refused, release, releasing, surrender, type Transacting } from './protocol.ts';
import {
  type Claimed,
  type Completed,
  changed,
  type IdempotencyRecord,
  type Identity,
  type Outcome,
} from './record.ts';
import type { Store, TransactWrite, Write, Written } from './store.ts';

/** A request for a claim. Frozen on arrival: a handler that changes its event changes nothing here. */
export interface ClaimRequest {
  readonly id: string;
  /** Random, one per request. A run recognises its own writes by it. */
  readonly owner: string;
  readonly identity?: Identity | undefined;
  readonly source?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly formerFingerprint?: (() => string | undefined) | undefined;
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
  const commit = randomUUID();
  let seen: IdempotencyRecord | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const next = { ...completedBy(request, seen, now()), commit };
    const write: Write = seen ? { kind: 'replace', seen, next } : { kind: 'insert', next };
    const written = await store.transact(write, request.writes);
    if (written.done) return { kind: 'done' };
    if ('refusal' in written) return { kind: 'refused', refusal: written.refusal };
    seen = written.found;
    if (seen?.status === 'COMPLETED' && seen.commit === commit) return { kind: 'done' }; // an earlier try had landed
    const decision = seen && decide(seen, request, now());
    if (decision && decision.kind !== 'take' && decision.kind !== 'mine') return decision;
  }
  return { kind: 'conflict' };
}

function tryClaim(holder: Holder, takeover: Takeover | undefined): Promise<Written> {
  const { store, lease } = holder;
  const write: Write = takeover
    ? { kind: 'replace', seen: takeover.seen, next: lease }
    : { kind: 'insert', next: lease };
  return store.write(write).catch(async (error) => {
    if (isInDoubt(error)) await fence(holder, takeover).catch(() => {}); // the lease runs out
    throw error;
  });
}

/**
 * Takes the place of a claim that was given up, so that it cannot land later. If it did land, the key is released, or its outcome
 * stays unknown.
 */
async function fence(holder: Holder, takeover: Takeover | undefined): Promise<void> {
  const { store, lease, retention, now } = holder;
  const written = await store.write(
    takeover
      ? { kind: 'replace', seen: takeover.seen, next: { ...takeover.seen, version: takeover.seen.version + 1 } }
      : { kind: 'insert', next: changed(lease, releasing(retention, now())) },
  );
  if (ownIn(written, lease)) await (takeover?.from === 'abandoned' ? surrender : release)(holder);
}

function leaseOf(request: ClaimRequest, takeover: Takeover | undefined, now: number): Claimed {
  const { id, identity, owner, source, retention, fingerprint, onUnknown = 'rerun' } = request;
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
    identity,
    source,
    fingerprint,
    steps,
    claimedAt: now,
    ...(onUnknown === 'rerun' ? { expiresAt: seconds(leaseUntil + retention) } : { retention }),
  };
}

function completedBy(
  { id, identity, owner, source, fingerprint, retention, outcome }: UnclaimedCommit,
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
    identity,
    source,
    fingerprint,
    claimedAt: now,
    ...completion(outcome, retention, now),
  };
}
