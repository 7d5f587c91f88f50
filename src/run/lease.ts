import { LONGEST_TIMER } from '../core/duration.ts';
import { IdempotencyError } from '../core/errors.ts';
import { patient } from '../core/patience.ts';
import { extend, type Holder } from '../core/protocol.ts';

/** A lease while its run is under way. */
export interface Hold {
  /** Aborts when the lease is over on this machine's clock, or was lost. */
  readonly signal: AbortSignal;
  /** Epoch ms at which the lease ends on this machine's clock. */
  readonly until: () => number;
  /** To be called when the run has ended, whatever its end. */
  readonly stop: () => void;
  /** Ends the run's right to go on: `signal` aborts. */
  readonly lose: (why: string) => void;
}

interface Terms {
  /** Ms a claim or an extension holds. */
  readonly length: number;
  /** Epoch ms past which the run cannot live. */
  readonly deadline: number;
  readonly clockSkew: number;
  readonly onFailure: (error: unknown) => void;
}

/** Below this many ms another extension is not worth a try. */
const SHORTEST = 50;

/**
 * Keeps a lease that is shorter than its run may be: prolongs it at half-time, tries again at half of what is left when the
 * store does not answer, and aborts `signal` when it was refused or is over.
 */
export function holdLease(holder: Holder, terms: Terms): Hold {
  const { lease } = holder;
  const { length, deadline, clockSkew, onFailure } = terms;
  const over = new AbortController();
  const stopped = new AbortController();
  let until = lease.leaseUntil - clockSkew;
  let beatTimer: NodeJS.Timeout | undefined;
  let endTimer: NodeJS.Timeout | undefined;
  const left = (): number => until - Date.now();
  const store = patient(holder.store, left);
  const mayExtend = (): boolean => until < deadline && left() > SHORTEST;

  /** False: refused. A store that does not answer is asked again at half of what is left. */
  const prolong = async (): Promise<boolean> => {
    const next = Math.min(Date.now() + length, deadline);
    try {
      const kept = await extend({ ...holder, store }, next + clockSkew, stopped.signal);
      if (kept) until = next;
      return kept;
    } catch (error) {
      if (!stopped.signal.aborted) onFailure(error);
      return true;
    }
  };

  const stop = (): void => {
    clearTimeout(beatTimer);
    clearTimeout(endTimer);
    stopped.abort();
  };

  const lose = (why: string): void => {
    stop();
    over.abort(new IdempotencyError('LEASE_LOST', why, { id: lease.id }));
  };

  const beat = async (): Promise<void> => {
    const kept = await prolong();
    if (stopped.signal.aborted) return;
    if (kept) arm();
    else lose('the lease was taken over');
  };

  // Unreferenced: a run that is over, but whose lease is not, must not keep the process.
  const arm = (): void => {
    clearTimeout(endTimer);
    endTimer = setTimeout(
      () => (left() > 0 ? arm() : lose('the lease is over')),
      Math.min(LONGEST_TIMER, left()),
    ).unref();
    clearTimeout(beatTimer);
    if (mayExtend()) beatTimer = setTimeout(beat, Math.min(LONGEST_TIMER, left() / 2)).unref();
  };

  arm();
  return { signal: over.signal, until: () => until, stop, lose };
}
