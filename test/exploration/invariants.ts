import { canonicalJson } from '../../src/core/canonical.ts';
import { fingerprintOf } from '../../src/core/identity.ts';
import type { IdempotencyRecord } from '../../src/core/record.ts';
import { type Place, RETENTION, type Request, type Result, SECOND, type StoreRequest } from './executor.ts';
import type { Move } from './moves.ts';
import { isClaim, isExtension, isFence, isOfStore, isOwners, isRelease, isStep, writerOf } from './requests.ts';
import { bodyOf, isOver, isRunning, type KeyState, ownerOf, type State } from './state.ts';
import type { World } from './world.ts';

/** One thing that happened. */
export interface Step {
  readonly world: World;
  readonly before: State;
  readonly move: Move;
  readonly after: State;
}

export interface Invariant {
  readonly says: string;
  /** What is wrong with it; undefined: nothing. */
  readonly broken: (step: Step) => string | undefined | Promise<string | undefined>;
}

/** What must hold in every state, and at every end. */
export const INVARIANTS: readonly Invariant[] = [
  {
    says: '1. Two runs of one key are never inside the handler with live leases at once: live is until the end of the lease, less the clock skew, on the holder’s clock.',
    broken: ({ world, after }) => {
      const live = after.places.flatMap((place, i) => {
        const isLive = place?.inside && world.clockOf(after, i) < place.liveUntil;
        return isLive && isRunning(after, i) ? [i] : [];
      });
      const keys = live.map((i) => world.program(i).key);
      return new Set(keys).size < keys.length ? `${live.join(' and ')} are inside` : undefined;
    },
  },
  {
    says: '2. COMPLETED is immutable until it expires, and every later answer equals it. No record expires sooner than the retention after its lease, and after it was written.',
    broken: ({ world, before, after, move }) => {
      for (const [key, { record }] of Object.entries(before.keys)) {
        const isKept = record?.record.status === 'COMPLETED' && !world.mayBeExpired(before, record.record);
        const is = after.keys[key]?.record;
        if (isKept && is !== record) return 'a recorded outcome was changed';
        if (is && is !== record && move.request && !isKeptLong(is.record, move.request)) return 'it expires too soon';
      }
      const answer = ended(before, after, move);
      if (!answer || after.doubtful[answer.by] || isOwnFailure(answer) || hasForgotten(world, answer)) return undefined;
      const { record, recorded, generations } = keyOf(world, after, answer.by);
      // A record that has expired may have had a successor since.
      const isFirst = generations === 1 && record !== undefined;
      const isOnRecord = isFirst && record.record.status === 'COMPLETED' && !world.mayBeExpired(after, record.record);
      const bodies = isOnRecord ? [bodyOf(record.record) ?? ''] : recorded;
      return bodies.some((body) => isIn(answer.result, body))
        ? undefined
        : `it answers ${textOf(answer.result)}, on record is ${bodies}`;
    },
  },
  {
    says: '3. A run whose lease was taken over changes nothing: neither the record, nor its steps, nor anything by a commit.',
    broken: ({ world, before, move, after }) => {
      if (!move.request || !isOwners(move.request)) return undefined;
      const by = move.by ?? writerOf(move.request);
      const was = keyOf(world, before, by);
      const is = keyOf(world, after, by);
      const isMine = was.record?.record.status === 'IN_PROGRESS' && ownerOf(was.record.record) === by;
      return isMine || (was.record === is.record && was.commits === is.commits)
        ? undefined
        : 'it changed what is not its own';
    },
  },
  {
    says: '4. Without a fault the effect happens exactly once; otherwise at most once more for every crash, lease outlived, release, failed completion and expiry. Steps are not repeated by a release. Committed writes happen at most once per record, and once where COMPLETED came from their commit.',
    broken: ({ world, after }) => {
      for (const [key, of] of Object.entries(after.keys)) {
        const { generations, work, steps, commits, allowed, stepsAllowed } = of;
        if (work > generations + allowed && !world.isAtomic(key))
          return `${work} effects, ${generations + allowed} explained`;
        if (steps > world.stepsOf(key) * (generations + stepsAllowed)) return `${steps} effects of steps`;
        if (commits > 1) return `${commits} commits of one record`;
        const isCompleted = of.record?.record.status === 'COMPLETED';
        if (world.isCommitting(key) && isCompleted && commits === 0) return 'completed without its writes';
        const isFaultless =
          after.faultsLeft === world.bounds.faults && after.crashesLeft === world.bounds.crashes && allowed === 0;
        if (isFaultless && generations === 1 && isOver(after) && !world.isForgetting(key)) {
          const isOnce = world.isAtomic(key) || (world.stepsOf(key) > 0 ? work <= 1 && work + steps >= 1 : work === 1);
          if (!isOnce) return `${work} effects without a fault`;
        }
      }
      return undefined;
    },
  },
  {
    says: '5. Nobody is answered with the outcome of another key, another caller or another payload; and under a key that is in use nothing runs, and nobody is told to come back, for another payload.',
    broken: ({ world, before, after, move }) => {
      if (move.by === undefined) return undefined;
      if (move.request && world.isClash(before, move.by, move.request))
        return 'it asks for the record of another, or for two';
      const was = keyOf(world, before, move.by).record?.record;
      const is = keyOf(world, after, move.by).record?.record;
      const isForgotten = is?.fingerprint === undefined || was?.fingerprint === undefined; // which is judged below
      const isTaken = was !== is && was && is && was.fingerprint !== is.fingerprint && !isForgotten;
      if (isTaken && !world.isExpired(before, move.by, was)) return 'a record was taken for another payload';
      const answer = ended(before, after, move);
      if (!answer) return undefined;
      const { key, payload } = world.program(answer.by);
      const isOther = is?.fingerprint !== undefined && is.fingerprint !== fingerprintOf(canonicalJson(payload), is.id);
      const isInUse = isOther && !world.isExpired(after, answer.by, is);
      if (isInUse && isRefusal(answer.result, 'CONFLICT')) return 'it is told to come back';
      const outcome = outcomeOf(answer.result);
      return !outcome || (outcome.key === key && outcome.payload === payload) ? undefined : textOf(answer.result);
    },
  },
  {
    says: '6. No key is stuck: from every reachable state a retry after the lease gets an outcome, or is told why not. Nobody is refused because of its own claim.',
    broken: ({ world, before, after, move }) => {
      const answer = ended(before, after, move);
      const holder = answer && ownerOf(keyOf(world, after, answer.by).record?.record);
      if (answer && holder === answer.by && isRefusal(answer.result, 'CONFLICT')) return 'it is in its own way';
      const changed = Object.keys(after.keys).filter((key) => after.keys[key]?.record !== before.keys[key]?.record);
      const probed = changed.map((key) => world.probed(after, key));
      const isStuck = (error: string | undefined): boolean =>
        error !== undefined && !error.startsWith('terminal ') && !['MISMATCH', 'OUTCOME_UNKNOWN'].includes(error);
      const tell = (errors: readonly (string | undefined)[]): string | undefined => {
        const stuck = errors.find(isStuck);
        return stuck && `a retry gets ${stuck}`;
      };
      if (!probed.some((error) => error instanceof Promise)) return tell(probed as (string | undefined)[]);
      return Promise.all(probed).then(tell);
    },
  },
  {
    says: '7. Nobody is told an outcome as a replay that was not recorded, or that has expired.',
    broken: ({ world, before, after, move }) => {
      const answer = ended(before, after, move);
      const outcome = answer && outcomeOf(answer.result);
      const { record, recorded } = answer ? keyOf(world, after, answer.by) : {};
      const isOwnRecord = answer && ownerOf(record?.record) === answer.by; // of what it has found out
      const isOwn = isOwnRecord || (answer?.place.entered && (outcome?.by === answer.by || 'error' in answer.result)); // or of a step
      // What it found out itself it may answer also where it could not record it.
      if (!answer || !outcome || isOwn || after.doubtful[answer.by]) return undefined;
      // What is answered at once, and not when a handler that had gone on has ended.
      if (move.request && world.isExpired(after, answer.by, record?.record))
        return `${textOf(answer.result)}, which has expired`;
      return recorded?.some((body) => isIn(answer.result, body)) ? undefined : textOf(answer.result);
    },
  },
  {
    says: '8. A run that cannot be sure of one of its writes, or has a step in flight, never releases its key.',
    broken: ({ before, after, move }) => {
      if (move.by === undefined || move.isLate || !move.request || !isRelease(move.request)) return undefined;
      if (before.keys === after.keys) return undefined;
      const isRisky =
        before.doubtful[move.by] || before.places[move.by]?.pending.some(({ request }) => isStep(request));
      return isRisky ? 'it releases' : undefined;
    },
  },
  {
    says: '9. Where an unknown outcome is not to be rerun, it is not: by no request, and not by growing old. Where it is to be looked into, nothing runs and nothing is free before that, and nothing runs where it was found.',
    broken: ({ world, before, after, move }) => {
      for (const [key, { record }] of Object.entries(before.keys)) {
        const isHeld = record?.record.status === 'IN_PROGRESS' && record.record.owner !== undefined;
        if (!isHeld || !(world.isRefusing(key) || world.isLooking(key))) continue;
        const is = after.keys[key]?.record?.record;
        if (is?.owner === undefined && !(move.request && isRelease(move.request))) return 'it is gone';
        if (world.isRefusing(key) && is?.owner !== undefined && is.owner !== record.record.owner) return 'it was taken';
      }
      if (move.by === undefined) return undefined;
      const { unknown, record } = keyOf(world, before, move.by);
      if (!unknown || ownerOf(record?.record) !== move.by) return undefined;
      if (move.effect === 'work') return `it runs, ${unknown}`;
      const isFree = move.request && isRelease(move.request) && keyOf(world, after, move.by).record !== record;
      return isFree ? `it is free, ${unknown}` : undefined;
    },
  },
  {
    says: '10. Every arrival tells one of started, replayed and refused; every start one of completed, released, adopted, lost and unsure; and completed only what is on record.',
    broken: ({ world, before, after, move }) => {
      const answer = ended(before, after, move);
      if (!answer) return undefined;
      const { events } = answer.place;
      const count = (types: readonly string[]): number => events.filter((type) => types.includes(type)).length;
      const isTold =
        count(['started', 'replayed', 'refused']) === 1 &&
        count(['completed', 'released', 'adopted', 'lost', 'unsure']) === count(['started']) &&
        events.at(-1) === 'settled';
      if (!isTold) return `it tells ${events.join(', ')}`;
      const { recorded } = keyOf(world, after, answer.by);
      const isTrue = count(['completed']) === 0 || recorded.some((body) => isIn(answer.result, body));
      return isTrue ? undefined : `it tells that ${textOf(answer.result)} is on record`;
    },
  },
  {
    says: '11. A claim that was given up does not land when its caller has been answered.',
    broken: ({ world, before, after, move }) => {
      const { isLate, request } = move;
      if (!isLate || !request || !isClaim(request) || before.keys === after.keys) return undefined;
      const by = writerOf(request);
      // What took its place may be gone by now: within the retention it is not.
      const isNew = request.write.kind === 'insert' && keyOf(world, before, by).generations > 0;
      return before.places[by]?.result && !isNew ? 'it lands' : undefined;
    },
  },
  {
    says: '12. No step, no commit and no extension begins when the lease is over by its holder’s clock, whatever its timers have missed. No extension moves a lease back.',
    broken: ({ world, before, after, move }) => {
      if (move.request && isExtension(move.request)) {
        const [was, is] = [before, after].map((state) => keyOf(world, state, writerOf(move.request as StoreRequest)));
        if (leaseOf(is) < leaseOf(was)) return 'it is moved back';
      }
      if (move.by === undefined) return undefined;
      const { pending, liveUntil } = after.places[move.by] as Place;
      const asked = before.places[move.by]?.pending ?? [];
      const late = pending.filter(({ uid, request }) => !asked.some((one) => one.uid === uid) && isUnderLease(request));
      const isOver = liveUntil > 0 && late.some(({ request }) => request.at >= liveUntil);
      return isOver ? 'it begins' : undefined;
    },
  },
  {
    says: '13. A run that forgets records nothing, and frees its key for any payload; where a run before it may have done something, for that one alone.',
    broken: ({ world, before, after, move }) => {
      const { by, request } = move;
      if (by === undefined || !request || !isOwners(request) || !world.program(by).forgets) return undefined;
      const was = keyOf(world, before, by);
      const is = keyOf(world, after, by).record;
      if (!is || was.record === is) return undefined;
      if (is.record.status === 'COMPLETED') return 'it is recorded';
      if (!isRelease(request) || !before.places[by]?.entered) return undefined;
      const isFree = is.record.fingerprint === undefined;
      if (isFree === was.isTaken) return isFree ? 'what may have been done is forgotten' : 'it keeps its payload';
      return undefined;
    },
  },
];

function isKeptLong(record: IdempotencyRecord, request: StoreRequest): boolean {
  const leaseUntil = 'leaseUntil' in record ? record.leaseUntil : 0;
  // A step and a fence leave the expiry as it is, also one that comes behind the lease.
  const written = isStep(request) || isFence(request) ? 0 : request.at;
  return (record.expiresAt ?? Number.POSITIVE_INFINITY) * SECOND >= Math.max(leaseUntil, written) + RETENTION;
}

function leaseOf(of: KeyState | undefined): number {
  const record = of?.record?.record;
  return record && 'leaseUntil' in record ? record.leaseUntil : 0;
}

/** Whether only a run with its lease may begin it. */
function isUnderLease(request: Request): boolean {
  if (!isOfStore(request)) return request.kind === 'effect' && isStep(request);
  return isExtension(request) || (request.kind === 'transact' && isOwners(request));
}

/** Whether it is answered by a run that forgot, and not with the outcome of another. */
function hasForgotten(world: World, { by, place, result }: Ended): boolean {
  return world.program(by).forgets === true && place.entered && outcomeOf(result)?.by === by;
}

interface Ended {
  readonly by: number;
  readonly place: Place;
  readonly result: Result;
}

function ended(before: State, after: State, { by }: Move): Ended | undefined {
  if (by === undefined) return undefined;
  const place = after.places[by];
  return place?.result && !before.places[by]?.result ? { by, place, result: place.result } : undefined;
}

interface Outcome {
  readonly by: number;
  readonly key: string;
  readonly payload: string;
}

/** Who made an answer, and for what; undefined: a refusal, or an error that is not on record. */
function outcomeOf(result: Result): Outcome | undefined {
  if ('value' in result) return result.value;
  const [how, by, key = '', payload = ''] = result.error.split(' ');
  return how === 'terminal' ? { by: Number(by), key, payload } : undefined;
}

/** A refusal, or a run's own error that is to be retried. */
function isOwnFailure({ result }: Ended): boolean {
  return outcomeOf(result) === undefined;
}

function isRefusal(result: Result, code: string): boolean {
  return 'error' in result && result.error === code;
}

function isIn(result: Result, body: string): boolean {
  return 'value' in result ? JSON.stringify(result.value) === body : body.includes(JSON.stringify(result.error));
}

function textOf(result: Result): string {
  return JSON.stringify('value' in result ? result.value : result.error);
}

function keyOf(world: World, state: State, i: number): KeyState {
  return state.keys[world.program(i).key] as KeyState;
}
