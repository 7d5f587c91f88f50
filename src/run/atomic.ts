import { randomUUID } from 'node:crypto';
import { codeOf, IdempotencyError, misuse } from '../core/errors.ts';
import { derivedKey } from '../core/identity.ts';
import { commitUnclaimed } from '../core/protocol.ts';
import type { Settings } from '../options.ts';
import { type Answer, adopted, own, refusalOf } from './answer.ts';
import type { Arrival } from './arrival.ts';
import { copyOf, gateOf } from './commit.ts';
import { answerOf, type Ending, type Run, started } from './run.ts';
import { checkedName } from './steps.ts';

/**
 * A run without a claim: it has no lease, and records nothing before its commit. The commit is conditioned on the record's
 * absence. If it loses the race, the run answers as a refused claim would.
 */
export function atomicRun(settings: Settings, arrival: Arrival): Run {
  const { id, key, fingerprint } = arrival;
  const { retention, onUnknown, outcomes, storeWithin } = settings;
  const remaining = (): number => arrival.remaining() ?? Number.POSITIVE_INFINITY;
  const store = storeWithin(remaining);
  const claimant = {
    id,
    owner: randomUUID(),
    fingerprint,
    retention,
    onUnknown: onUnknown === 'rerun' ? onUnknown : 'refuse',
  } as const;
  const tell = started({ ...arrival.about, attempt: 1 }, 'new');
  /** Gives the run's answer, or throws why there is none. Undefined: no commit has decided it yet. */
  let decided: (() => Answer) | undefined;

  const fail = (error: IdempotencyError): never => {
    decided = () => again(error);
    throw error;
  };

  const { commit, close } = gateOf({
    store,
    isOver: () => decided !== undefined,
    async send(transacting, value, writes) {
      const outcome = outcomes.ofValue(value);
      const result = await commitUnclaimed(transacting, { ...claimant, outcome, writes }, Date.now).catch((error) => {
        tell(error.retryable ? { type: 'unsure', why: 'commit', error } : { type: 'released', error });
        return fail(error);
      });
      if (result.kind === 'refused') throw result.refusal; // a condition of the user's: nothing was written, and another commit may follow
      if (result.kind === 'done') {
        tell({ type: 'completed', by: 'commit', outcome: outcome.kind });
        const copy = copyOf(outcomes, outcome, value);
        decided = () => own(copy, true);
      } else if (result.kind === 'replay') {
        decided = () => adopted(result.outcome, { id, store, outcomes }, tell);
      } else {
        const refusal = refusalOf(result, id);
        tell({ type: 'lost', code: codeOf(refusal) });
        fail(refusal);
      }
    },
  });

  return {
    execution: {
      key,
      attempt: 1,
      signal: new AbortController().signal,
      remaining,
      commit,
      keyFor: (name) => derivedKey(id, checkedName(name)),
      step: async () => {
        throw misuse("in mode 'atomic' nothing is recorded before the commit: there are no steps");
      },
    },

    hasCommitted: () => decided !== undefined,

    async end(ending) {
      if (ending.kind === 'timed-out') {
        tell({ type: 'unsure', why: 'timeout' });
        return answerOf(ending);
      }
      await close();
      if (decided) return decided();
      const error = failureOf(ending);
      tell({ type: 'released', ...(error !== undefined && { error }) });
      if (ending.kind === 'returned') throw error;
      return answerOf(ending);
    },
  };
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
