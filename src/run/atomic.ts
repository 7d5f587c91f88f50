import { randomUUID } from 'node:crypto';
import { commitUnclaimed } from '../core/claim.ts';
import { seconds } from '../core/duration.ts';
import { IdempotencyError, isInDoubt, misuse, withRecord } from '../core/errors.ts';
import type { About, EndEvent } from '../core/events.ts';
import type { Settings } from '../options.ts';
import { type Answer, adopted, claimRefusal } from './answer.ts';
import type { Arrival } from './arrival.ts';
import { type GateOptions, gateOf, prepared } from './commit.ts';
import { floatingOf } from './floating.ts';
import { forgettingOf } from './forget.ts';
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
  const floating = floatingOf(id);
  const { forget, isForgotten, bar } = forgettingOf(() => hasBegun());
  const gate = decidingCommit({ settings, arrival, about, remaining, tell, bar, floating });
  const { commit, ended, hasBegun, decided } = gate;
  return {
    execution: {
      id,
      key,
      attempt: 1,
      signal: new AbortController().signal,
      remaining,
      commit,
      keyFor: (name) => effectKey(id, name),
      step: (name) => {
        const why = misuse("in mode 'atomic' nothing is recorded before the commit: there are no steps");
        return floating.watch(`step "${name}"`, Promise.reject(why));
      },
      forget,
    },

    hasCommitted: () => decided() !== undefined,

    async end(ending) {
      if (ending.kind === 'timed-out') {
        tell({ type: 'unsure', why: 'timeout' });
        return answerOf(ending);
      }
      floating.close();
      await ended();
      const answer = decided();
      if (answer) return answer(ending);
      const error = isForgotten() ? undefined : failureOf(ending);
      tell({ type: 'released', error });
      if (ending.kind === 'returned' && error) throw error;
      return answerOf(ending);
    },
  };
}

interface CommitOptions extends Pick<GateOptions, 'bar' | 'floating'> {
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
function decidingCommit({ settings, arrival, about, remaining, tell, bar, floating }: CommitOptions): DecidingCommit {
  const { retention, outcomes, storeWithin } = settings;
  const { id, identity, fingerprint } = arrival;
  const former = arrival.formerFingerprint?.(); // the handler may change the event
  const { source } = arrival.about;
  const onUnknown = settings.onUnknown === 'rerun' ? 'rerun' : 'refuse';
  const claimant = {
    id,
    identity,
    source,
    owner: randomUUID(),
    fingerprint,
    formerFingerprint: () => former,
    retention,
    onUnknown,
  } as const;
  const store = storeWithin(remaining, 'run');
  const replayer = { id, remaining, store, outcomes, arrival };
  let decided: ReturnType<DecidingCommit['decided']>;

  const fail = (error: IdempotencyError): never => {
    decided = () => again(error);
    throw error;
  };

  const gate = gateOf({
    store,
    floating,
    bar,
    isOver: () => decided !== undefined,
    async send(transacting, value, writes) {
      const record = { ...claimant, expiresAt: seconds(Date.now() + retention) };
      const { outcome, value: copy } = await prepared(value, record, replayer);
      const result = await commitUnclaimed(transacting, { ...claimant, outcome, writes }, Date.now).catch((cause) => {
        const error = withRecord(cause, id);
        if (error.isUnwritten) throw error; // another commit may follow
        tell(isInDoubt(error) ? { type: 'unsure', why: 'commit', error } : { type: 'released', error });
        return fail(error);
      });
      if (result.kind === 'refused') throw result.refusal; // nothing was written: another commit may follow
      if (result.kind === 'done') {
        tell({ type: 'completed', by: 'commit', outcome: outcome.kind });
        decided = (ending) => committedAnswer(about, ending, copy);
      } else if (result.kind === 'replay') {
        decided = () => adopted(result, replayer, tell);
      } else {
        const refusal = claimRefusal(result, arrival);
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
