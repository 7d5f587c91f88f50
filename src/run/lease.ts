import { LONGEST_TIMER } from '../core/duration.ts';
import { IdempotencyError } from '../core/errors.ts';
import { extend, type Holder } from '../core/protocol.ts';

/** The time of a run. */
export interface Span {
  /** Epoch ms past which it cannot live. */
  readonly deadline: number;
  /** Ms a claim or an extension holds. */
  readonly length: number;
}

/** A lease while its run is under way. */
export interface Lease {
  /** Aborts when the lease ends on this machine's clock, or was lost. */
  readonly signal: AbortSignal;
  /** Whether it holds by the clock, which a timer of a blocked or frozen process has missed. If not, `signal` is aborted. */
  readonly isHeld: () => boolean;
  /** Ms until the lease ends on this machine's clock. */
  readonly left: () => number;
  /** To be called when the run has ended. */
  readonly stop: () => void;
  /** Aborts `signal`: the run may not go on. */
  readonly lose: (why: string) => void;
}

interface LeaseOptions {
  /** A holder whose writes end in time; `left`: ms that are left of the lease. */
  readonly holder: (left: () => number) => Holder;
  readonly span: Span;
  readonly clockSkew: number;
  /** Called after every extension; `leaseUntil` in epoch ms. */
  readonly onExtended: (leaseUntil: number) => void;
  readonly onFailure: (error: unknown) => void;
}

/** With less time left, no extension is tried. */
const SHORTEST_MS = 50;

/**
 * Keeps a lease that is shorter than its run may be: prolongs it at half-time. If the store does not answer, it tries again at
 * half of the time left. Aborts `signal` if an extension is refused, and when the lease ends.
 */
export function keepLease({ holder: holderWithin, span, clockSkew, onExtended, onFailure }: LeaseOptions): Lease {
  const over = new AbortController();
  const stopped = new AbortController();
  const left = (): number => until - Date.now();
  const holder = holderWithin(left);
  let until = holder.lease.leaseUntil - clockSkew;

  /** False: refused. */
  const prolong = async (): Promise<boolean> => {
    const next = Math.min(Date.now() + span.length, span.deadline);
    try {
      const isKept = await extend(holder, next + clockSkew, stopped.signal);
      if (!isKept) return false;
      until = next;
      onExtended(next + clockSkew);
    } catch (error) {
      if (!stopped.signal.aborted) onFailure(error);
    }
    return true;
  };

  let isLost = false;
  const isHeld = (): boolean => {
    if (left() <= 0) lose('the lease is over');
    return !isLost;
  };
  // Whoever asks it asks the clock: no timer fires while the event loop is blocked.
  Object.defineProperty(over.signal, 'aborted', { get: () => !isHeld() });

  const beat = timer(async () => {
    if (!isHeld()) return;
    const isKept = await prolong();
    if (stopped.signal.aborted) return;
    if (isKept) arm();
    else lose('the lease was taken over');
  });
  const expiry = timer(() => isHeld() && arm());

  const arm = (): void => {
    expiry.set(left());
    if (until < span.deadline && left() > SHORTEST_MS) beat.set(left() / 2);
    else beat.clear();
  };

  const stop = (): void => {
    beat.clear();
    expiry.clear();
    stopped.abort();
  };

  const lose = (why: string): void => {
    if (isLost) return;
    isLost = true;
    stop();
    over.abort(new IdempotencyError('LEASE_LOST', why, { id: holder.lease.id }));
  };

  arm();
  return { signal: over.signal, isHeld, left, stop, lose };
}

/** A timer that can be set again. Unreferenced: a lease that outlives its run must not keep the process alive. */
function timer(fire: () => unknown) {
  let running: NodeJS.Timeout | undefined;
  return {
    clear: () => clearTimeout(running),
    set: (ms: number) => {
      clearTimeout(running);
      running = setTimeout(fire, Math.min(LONGEST_TIMER, ms)).unref();
    },
  };
}
