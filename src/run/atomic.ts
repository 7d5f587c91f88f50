import { randomUUID } from 'node:crypto';
import { commitUnclaimed } from '../core/claim.ts';
import { IdempotencyError, misuse } from '../core/errors.ts';
import type { About, EndEvent } from '../core/events.ts';
import { ROOM_BYTES } from '../core/record.ts';
import type { Settings } from '../options.ts';
import { kept } from '../values/kept.ts';
import { type Answer, adopted, claimRefusal } from './answer.ts';
import type { Arrival } from './arrival.ts';
import { copyOf, type GateOptions, gateOf } from './commit.ts';
import { answerOf, committedAnswer, type Ending, type Run, started } from './run.ts';
import { effectKey } from './steps.ts';

/**
 * A run without a claim: it has no lease, and records nothing before its commit. The commit is conditioned on the record's
 * absence. If it loses the race, the run answers as a refused claim would.
 */
export function atomicRun(settings: Settings, arrival: Arrival): Run {
  const { id, key } = arrival;
  const remaining = (): number => arrival.remaining() ?? Number.POSITIVE_INFINITY;
  const about = { ...arrival.about, attempt: 1 };
  const tell = started(about, 'new');
  let isForgotten = false;
  const bar = (): string | undefined => (isForgotten ? 'after `forget`' : undefined);
  const { commit, close, hasBegun, decided } = decidingCommit({ settings, arrival, about, remaining, tell, bar });
  return {
    execution: {
      key,
      attempt: 1,
      signal: new AbortController().signal,
      remaining,
      commit,
      keyFor: (name) => effectKey(id, name),
      step: async () => {
        throw misuse("in mode 'atomic' nothing is recorded before the commit: there are no steps");
      },
      forget: () => {
        if (hasBegun()) throw misuse('a run forgets before its commit');
        isForgotten = true;
      },
    },

    hasCommitted: () => decided() !== undefined,

    async end(ending) {
      if (ending.kind === 'timed-out') {
        tell({ type: 'unsure', why: 'timeout' });
        return answerOf(ending);
      }
      await close();
      const answer = decided();
      if (answer) return answer(ending);
      const error = isForgotten ? undefined : failureOf(ending);
      tell({ type: 'released', error });
      if (ending.kind === 'returned' && error) throw error;
      return answerOf(ending);
    },
  };
}

interface CommitOptions extends Pick<GateOptions, 'bar'> {
  readonly settings: Settings;
  readonly arrival: Arrival;
  readonly about: About;
  /** Ms. */
  readonly remaining: () => number;
  readonly tell: (end: EndEvent) => void;
}

interface DecidingCommit extends ReturnType<typeof gateOf> {
  /** Gives the run's answer, or throws why there is none. Undefined: no commit has decided it yet. */
  readonly decided: () => ((ending: Ending) => Answer) | undefined;
}

/** The commit that decides an atomic run, whether it wins its race or loses it. */
function decidingCommit({ settings, arrival, about, remaining, tell, bar }: CommitOptions): DecidingCommit {
  const { retention, outcomes, storeWithin } = settings;
  const { id, fingerprint } = arrival;
  const onUnknown = settings.onUnknown === 'rerun' ? 'rerun' : 'refuse';
  const claimant = { id, owner: randomUUID(), fingerprint, retention, onUnknown } as const;
  const store = storeWithin(remaining, 'run');
  const owner = { id, remaining };
  let decided: ReturnType<DecidingCommit['decided']>;

  const fail = (error: IdempotencyError): never => {
    decided = () => again(error);
    throw error;
  };

  const recordAt = (now: number) => ({ ...claimant, expiresAt: Math.ceil((now + retention) / 1_000) });

  const gate = gateOf({
    store,
    bar,
    isOver: () => decided !== undefined,
    async send(transacting, value, writes) {
      const whole = await outcomes.ofValue(value, owner);
      const copy = await copyOf(outcomes, whole, value, owner);
      const outcome = await kept(store, whole, { record: recordAt(Date.now()) }, ROOM_BYTES);
      const result = await commitUnclaimed(transacting, { ...claimant, outcome, writes }, Date.now).catch((error) => {
        if (error.isUnwritten) throw error; // another commit may follow
        tell(error.retryable ? { type: 'unsure', why: 'commit', error } : { type: 'released', error });
        return fail(error);
      });
      if (result.kind === 'refused') throw result.refusal; // nothing was written: another commit may follow
      if (result.kind === 'done') {
        tell({ type: 'completed', by: 'commit', outcome: outcome.kind });
        decided = (ending) => committedAnswer(about, ending, copy);
      } else if (result.kind === 'replay') {
        decided = () => adopted(result.outcome, { ...owner, store, outcomes }, tell);
      } else {
        const refusal = claimRefusal(result, id);
        tell({ type: 'lost', code: refusal.code });
        fail(refusal);
      }
    },
  });
  return { ...gate, decided: () => decided };
}

/** Why a run ended without a commit. */
function failureOf(ending: Ending): unknown {
  if (ending.kind === 'returned') return misuse("in mode 'atomic' the handler must commit what it returns");
  return 'error' in ending ? ending.error : undefined;
}

// A new error: the handler may have changed the one that its commit threw.
function again({ code, message, id, cause }: IdempotencyError): never {
  throw new IdempotencyError(code, message, { id, cause });
}
