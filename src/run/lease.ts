import { LONGEST_TIMER } from '../core/duration.ts';
import { IdempotencyError } from '../core/errors.ts';
import { type Extension, extend, type Holder } from '../core/protocol.ts';
import type { Claimed } from '../core/record.ts';

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
  readonly signal: () => AbortSignal;
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
  readonly claim: Claimed;
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
export function keepLease({ claim, holder: holderOf, span, clockSkew, ...on }: LeaseOptions): Lease {
  let until = claim.leaseUntil - clockSkew;
  const left = (): number => until - Date.now();
  let loss: IdempotencyError | undefined;
  let isStopped = false;
  /** Made when it is asked for: most runs need neither it nor the timer that aborts it. */
  let over: AbortController | undefined;
  let extending: AbortController | undefined;
  let beat: NodeJS.Timeout | undefined;
  let expiry: NodeJS.Timeout | undefined;

  const stop = (): void => {
    isStopped = true;
    clearTimeout(beat);
    clearTimeout(expiry);
    extending?.abort('the run has ended');
  };

  const lose = (why: string): void => {
    stop();
    loss ??= new IdempotencyError('LEASE_LOST', why, { id: claim.id });
    over?.abort(loss);
  };

  const isHeld = (): boolean => {
    if (!isStopped && left() <= 0) lose('the lease is over');
    return loss === undefined;
  };

  const prolong = async (): Promise<Extension> => {
    const next = Math.min(Date.now() + span.length, span.deadline);
    extending ??= new AbortController();
    try {
      const result = await extend(holderOf(left), next + clockSkew, extending.signal);
      if (result !== 'extended') return result;
      until = next;
      on.onExtended(next + clockSkew);
    } catch (error) {
      if (!isStopped) on.onFailure(error);
    }
    return 'extended'; // or to be tried again
  };

  const onBeat = async (): Promise<void> => {
    if (!isHeld()) return;
    const result = await prolong();
    if (isStopped) return;
    if (result === 'extended') arm();
    if (result === 'over') stop(); // the answer to its own commit or completion is still on its way
    if (result === 'lost') lose('the lease was taken over');
  };

  const expire = (): void => {
    clearTimeout(expiry);
    expiry = later(left(), () => isHeld() && arm());
  };

  const arm = (): void => {
    clearTimeout(beat);
    if (over) expire();
    if (until < span.deadline && left() > SHORTEST_MS) beat = later(left() / 2, onBeat);
  };

  arm();
  return {
    signal: () => {
      if (!over) {
        over = new AbortController();
        askTheClock(over.signal, isHeld, () => loss);
        if (loss) over.abort(loss);
        else if (!isStopped) expire();
      }
      return over.signal;
    },
    isHeld,
    left,
    stop,
    lose,
  };
}

/** Makes the signal aborted for whoever asks it as soon as the lease is over: no timer fires while the event loop is blocked. */
function askTheClock(signal: AbortSignal, isHeld: () => boolean, loss: () => unknown): void {
  Object.defineProperties(signal, {
    aborted: { get: () => !isHeld() },
    reason: { get: () => (isHeld() ? undefined : loss()) },
    throwIfAborted: {
      value: () => {
        if (!isHeld()) throw loss();
      },
    },
  });
}

/** Unreferenced: a lease that outlives its run must not keep the process alive. */
function later(ms: number, fire: () => unknown): NodeJS.Timeout {
  return setTimeout(fire, Math.max(0, Math.min(LONGEST_TIMER, ms))).unref();
}
