import type { Change, IdempotencyRecord } from '../../src/core/record.ts';
import type * as memory from '../../src/stores/memory.ts';
import { type Code, Executor, type Place, type Program, type Reply, type Request, SECOND } from './executor.ts';

/** What may go wrong, and how far time may pass. */
export interface Bounds {
  readonly crashes: number;
  /** Requests without an answer. */
  readonly faults: number;
  /** Seconds. */
  readonly time: number;
  /** Whether a condition of the user's writes in a commit may fail. */
  readonly refusals?: boolean;
}

/** A record, and an id for what is in it. */
export interface Interned {
  readonly uid: number;
  readonly record: IdempotencyRecord;
}

/** What there is of a key: its record, and what happened in its name. */
export interface KeyState {
  readonly record: Interned | undefined;
  /** Records that there were: a key that has expired is a new operation. */
  readonly generations: number;
  /** Effects outside steps, in steps, and, of this record, of committed writes. */
  readonly work: number;
  readonly steps: number;
  readonly commits: number;
  /** Reasons for one more of them than one in a generation. */
  readonly allowed: number;
  readonly stepsAllowed: number;
  /** Bodies of all outcomes that ever were on record. */
  readonly recorded: readonly string[];
  /** Of the record that was first asked for. */
  readonly id: string;
  /** What its holder has found out of the run that it took the key from, where it is to look; '': there is nothing to. */
  readonly unknown: '' | 'nobody has looked' | 'though it was found';
}

export interface State {
  /** Seconds. */
  readonly time: number;
  readonly keys: Readonly<Record<string, KeyState>>;
  /** Absent: not started. */
  readonly places: readonly (Place | undefined)[];
  readonly crashed: readonly boolean[];
  /** A write of its run's end may not have landed. */
  readonly doubtful: readonly boolean[];
  /** Requests that nobody waits for any more, and that may land yet. */
  readonly inFlight: readonly InFlight[];
  readonly crashesLeft: number;
  readonly faultsLeft: number;
}

interface InFlight {
  readonly by: number;
  readonly uid: number;
  readonly request: Request;
}

export interface Move {
  readonly label: string;
  readonly by?: number;
  /** What it did to the world outside. */
  readonly effect?: string;
  /** What reached the store by it. */
  readonly request?: Request;
  /** Nobody waits for its answer any more. */
  readonly isLate?: boolean;
  readonly make: () => State | Promise<State>;
}

/** What a request made of a record. */
interface Applied {
  readonly reply: Reply;
  readonly replyKey: string;
  readonly after: Interned | undefined;
}

/** The product of a few executors and the store between them, with all that may happen next in a state. */
export class World {
  readonly executors: readonly Executor[];
  private readonly programs: readonly Program[];
  readonly bounds: Bounds;
  private readonly code: Code;
  private readonly store: typeof memory;
  private readonly records = new Map<string, Interned>();
  private readonly applied = new Map<string, Applied>();
  private readonly probes = new Map<number, string | undefined>();

  constructor(code: Code & { readonly store: typeof memory }, programs: readonly Program[], bounds: Bounds) {
    this.code = code;
    this.store = code.store;
    this.programs = programs;
    this.bounds = bounds;
    this.executors = programs.map((program, index) => new Executor(code, program, index));
  }

  initial(): State {
    const none: KeyState = {
      record: undefined,
      generations: 0,
      work: 0,
      steps: 0,
      commits: 0,
      allowed: 0,
      stepsAllowed: 0,
      recorded: [],
      id: '',
      unknown: '',
    };
    return {
      time: 0,
      keys: Object.fromEntries(this.programs.map(({ key }) => [key, none])),
      places: this.programs.map(() => undefined),
      crashed: this.programs.map(() => false),
      doubtful: this.programs.map(() => false),
      inFlight: [],
      crashesLeft: this.bounds.crashes,
      faultsLeft: this.bounds.faults,
    };
  }

  /** Equal for states from which the same may happen. */
  keyOf(state: State): string {
    const keys = Object.values(state.keys).map(
      ({ record, generations, work, steps, commits, allowed, stepsAllowed, recorded, unknown }) =>
        `${record?.uid ?? 0},${generations},${work},${steps},${commits},${allowed},${stepsAllowed},${recorded},${unknown}`,
    );
    // Who has ended has no future, and nothing of its past is asked for.
    const places = state.places.map((place, i) =>
      state.crashed[i] ? 'x' : place?.result ? 'e' : `${place?.uid}${state.doubtful[i] ? '?' : ''}`,
    );
    const flying = state.inFlight.map(({ uid, by }) => `${by}.${uid}`).sort();
    return `${state.time}|${keys}|${places}|${flying}|${state.crashesLeft}|${state.faultsLeft}`;
  }

  clockOf(state: State, i: number): number {
    return state.time * SECOND + this.program(i).ahead;
  }

  program(i: number): Program {
    return this.programs[i] as Program;
  }

  isRunning(state: State, i: number): boolean {
    const place = state.places[i];
    return place !== undefined && !place.result && !state.crashed[i];
  }

  moves(state: State): Move[] {
    const moves: Move[] = [];
    for (const i of this.programs.keys()) {
      const place = state.places[i];
      if (!place) {
        if (this.mayStart(state, i)) {
          moves.push({ label: `${i} starts`, by: i, make: () => this.move(state, i, this.start(state, i)) });
        }
        continue;
      }
      if (!this.isRunning(state, i)) continue;
      place.pending.forEach(({ request, uid }, index) => {
        if (request.kind === 'effect') moves.push(...this.effects(state, i, index, request.name));
        else if (request.kind === 'timer') moves.push(...this.timers(state, i, index, request.due));
        else moves.push(...this.writes(state, i, index, request, uid));
      });
      if (state.crashesLeft > 0) moves.push({ label: `${i} dies`, make: () => this.crash(state, i) });
    }
    state.inFlight.forEach(({ by, request, uid }, at) => {
      const applied = this.apply(state, by, request, uid);
      if (!isDone(applied)) return; // like one that never lands
      const landed = { ...state, inFlight: state.inFlight.filter((_, other) => other !== at) };
      const make = () => this.happened(landed, by, request, applied);
      moves.push({ label: `${by}'s ${nameOf(request)} lands late`, by, request, isLate: true, make });
    });
    for (const [key, of] of Object.entries(state.keys)) {
      const { expiresAt } = of.record?.record ?? {};
      if (expiresAt !== undefined && expiresAt <= state.time) {
        const deleted = keyed(state, key, { record: undefined });
        moves.push({ label: 'TTL deletes the record', make: () => deleted });
      }
    }
    // Before anybody has come, time is nobody's.
    if (state.time < this.bounds.time && state.places.some((place) => place)) {
      moves.push({ label: 'a second passes', make: () => ({ ...state, time: state.time + 1 }) });
    }
    return moves;
  }

  // Executors of one program are alike: the first starts first.
  private mayStart(state: State, i: number): boolean {
    return i === 0 || this.program(i) !== this.program(i - 1) || state.places[i - 1] !== undefined;
  }

  private start(state: State, i: number): Place | Promise<Place> {
    return (this.executors[i] as Executor).start(this.clockOf(state, i));
  }

  private tell(state: State, i: number, index: number, reply: Reply, key: string): Place | Promise<Place> {
    return (this.executors[i] as Executor).tell(state.places[i] as Place, index, reply, key, this.clockOf(state, i));
  }

  private move(state: State, i: number, place: Place | Promise<Place>): State | Promise<State> {
    if (place instanceof Promise) return place.then((there) => this.move(state, i, there));
    return { ...state, places: state.places.with(i, place) };
  }

  private effects(state: State, i: number, index: number, name: string): Move[] {
    const { key, endings, reconcile } = this.program(i);
    const isStep = name.startsWith('step');
    return endings.map((ending) => {
      const hasLooked = name === 'look' && ending === 'return' && ownerOf(state.keys[key]?.record?.record) === i;
      const known = reconcile && 'value' in reconcile ? 'though it was found' : '';
      const counted = add(hasLooked ? keyed(state, key, { unknown: known }) : state, key, {
        ...(isStep ? { steps: 1 } : name === 'work' ? { work: 1 } : {}),
        ...(isStep && ending === 'fail' && { stepsAllowed: 1 }), // not recorded, and the run fails
      });
      const make = () => this.move(counted, i, this.tell(state, i, index, { ending }, ending));
      return {
        label: `${i} does "${name}"${ending === 'return' ? '' : `, and throws a ${ending} error`}`,
        by: i,
        effect: name,
        make,
      };
    });
  }

  private timers(state: State, i: number, index: number, due: number): Move[] {
    if (this.clockOf(state, i) < due) return [];
    const make = () => this.move(state, i, this.tell(state, i, index, { fired: true }, 'fired'));
    return [{ label: `${i}'s timer fires`, by: i, make }];
  }

  private writes(state: State, i: number, index: number, request: Request, uid: number): Move[] {
    const name = nameOf(request);
    const answer = ({ reply, replyKey }: Applied, after: State) =>
      this.move(after, i, this.tell(state, i, index, reply, replyKey));
    const once = this.apply(state, i, request, uid);
    const landed = () => this.happened(state, i, request, once);
    const moves: Move[] = [
      {
        label: `${i}'s ${name} ${isDone(once) ? 'lands' : 'loses'}`,
        by: i,
        request,
        make: () => answer(once, landed()),
      },
    ];
    if (this.bounds.refusals && request.kind === 'transact' && isDone(once)) {
      const refused = { reply: { refused: true }, replyKey: 'refused', after: undefined } as const;
      moves.push({ label: `${i}'s writes are refused`, by: i, make: () => answer(refused, state) });
    }
    if (state.faultsLeft === 0) return moves;
    const faulty = { ...state, faultsLeft: state.faultsLeft - 1 };
    if (isDone(once)) {
      const again = () => {
        const first = this.happened(faulty, i, request, once);
        const second = this.apply(first, i, request, uid);
        return answer(second, this.happened(first, i, request, second));
      };
      moves.push({
        label: `${i}'s ${name} lands, the answer is lost, the SDK sends it again`,
        by: i,
        request,
        make: again,
      });
    }
    const unanswered = () => {
      const gone = settles(request) ? doubt(add(faulty, this.program(i).key, allowanceOf(request)), i) : faulty;
      const inFlight = [...gone.inFlight, { by: i, request, uid }];
      return this.move({ ...gone, inFlight }, i, this.tell(state, i, index, { unavailable: true }, 'unavailable'));
    };
    return [...moves, { label: `${i}'s ${name} is not answered`, by: i, make: unanswered }];
  }

  private crash(state: State, i: number): State {
    const place = state.places[i] as Place;
    const flying = place.pending
      .filter(({ request }) => request.kind !== 'effect' && request.kind !== 'timer')
      .map(({ request, uid }) => ({ by: i, request, uid }));
    const crashed = {
      ...state,
      crashed: state.crashed.with(i, true),
      inFlight: [...state.inFlight, ...flying],
      crashesLeft: state.crashesLeft - 1,
    };
    return place.entered ? add(crashed, this.program(i).key, { allowed: 1, stepsAllowed: 1 }) : crashed;
  }

  /** What a request makes of the record it finds. */
  private apply(state: State, i: number, request: Request, uid: number): Applied {
    const found = state.keys[this.program(i).key]?.record;
    const key = `${found?.uid ?? 0}/${i}/${uid}`;
    let applied = this.applied.get(key);
    if (!applied) {
      const next = this.swapped(found?.record, request);
      applied = next
        ? { reply: { written: { done: true } }, replyKey: 'done', after: this.intern(next) }
        : {
            reply: { written: { done: false, found: found?.record } },
            replyKey: `${found?.uid ?? 0}`,
            after: undefined,
          };
      this.applied.set(key, applied);
    }
    return applied;
  }

  private swapped(found: IdempotencyRecord | undefined, request: Request): IdempotencyRecord | undefined {
    const { inserted, replaced, updated, transacted } = this.store;
    if (request.kind === 'insert') return inserted(found, request.next);
    if (request.kind === 'replace') return replaced(found, request.seen, request.next);
    if (request.kind === 'update') return updated(found, request.held, request.change);
    if (request.kind !== 'transact') throw new Error(`${request.kind} is no write`);
    return transacted(found, request.write);
  }

  /** The state after a request was applied, with the books kept. */
  private happened(asked: State, i: number, request: Request, { after }: Applied): State {
    const { key } = this.program(i);
    const state = asked.keys[key]?.id ? asked : keyed(asked, key, { id: idOf(request) });
    if (!after) return state;
    const of = state.keys[key] as KeyState;
    const before = of.record?.record;
    const isNew =
      request.kind === 'insert' || (!before && request.kind !== 'update') || this.isExpired(state, i, before);
    const isAnother = isNew && !isOwners(request);
    const body = after.record.status === 'COMPLETED' ? bodyOf(after.record) : undefined;
    const changed = {
      ...of,
      record: after,
      generations: of.generations + (isAnother ? 1 : 0),
      commits: (isAnother ? 0 : of.commits) + (request.kind === 'transact' ? 1 : 0),
      unknown: this.unknownAfter(i, request, of, after.record),
      recorded: body === undefined || of.recorded.includes(body) ? of.recorded : [...of.recorded, body].sort(),
    };
    const next = keyed(state, key, changed);
    if (isRelease(request) && state.places[i]?.entered) return add(next, key, { allowed: 1 });
    const isOver = before && 'leaseUntil' in before && before.leaseUntil <= this.clockOf(state, i);
    const outlived = !isOwners(request) && isOver && this.isHeldByRunning(state, before);
    return outlived ? add(next, key, { allowed: 1, stepsAllowed: 1 }) : next;
  }

  private unknownAfter(
    i: number,
    request: Request,
    { record, unknown }: KeyState,
    after: IdempotencyRecord,
  ): KeyState['unknown'] {
    if (!this.program(i).reconcile || after.owner === undefined || after.status === 'COMPLETED') return '';
    if (request.kind !== 'replace') return request.kind === 'insert' ? '' : unknown;
    const isAbandoned = record?.record.status === 'IN_PROGRESS' && record.record.owner !== undefined;
    return isAbandoned ? 'nobody has looked' : '';
  }

  /** Whether a request is not for the one record of its key, or for that of another key. */
  isClash({ keys }: State, i: number, request: Request): boolean {
    const id = idOf(request);
    return Object.entries(keys).some(([key, of]) => of.id !== '' && (of.id === id) !== (key === this.program(i).key));
  }

  /** Whether unknown outcomes of the key are looked into. */
  isLooking(key: string): boolean {
    return this.some(key, ({ reconcile }) => reconcile !== undefined);
  }

  /** Whether every run of the key commits. */
  isCommitting(key: string): boolean {
    return !this.some(key, ({ commits }) => !commits);
  }

  /** Whether somebody's clock is past a record's retention. */
  mayBeExpired(state: State, record: IdempotencyRecord): boolean {
    return this.programs.some((_, i) => this.isExpired(state, i, record));
  }

  isAtomic(key: string): boolean {
    return this.some(key, ({ options }) => options?.mode === 'atomic');
  }

  /** Steps that a run of the key has. */
  stepsOf(key: string): number {
    return Math.max(...this.programs.map((program) => (program.key === key ? (program.steps ?? 0) : 0)));
  }

  /** Whether all have started, and nobody is under way. */
  isOver(state: State): boolean {
    return state.places.every((place, i) => place && !this.isRunning(state, i));
  }

  isExpired(state: State, i: number, record: IdempotencyRecord | undefined): boolean {
    return record?.expiresAt !== undefined && record.expiresAt * SECOND <= this.clockOf(state, i);
  }

  /** Whether an unknown outcome of the key is not to be rerun. */
  isRefusing(key: string): boolean {
    return this.some(key, ({ options }) => options?.onUnknown === 'refuse');
  }

  private some(key: string, is: (program: Program) => boolean): boolean {
    return this.programs.some((program) => program.key === key && is(program));
  }

  private isHeldByRunning(state: State, record: IdempotencyRecord | undefined): boolean {
    if (record?.status !== 'IN_PROGRESS' || record.owner === undefined) return false;
    const owner = ownerOf(record) as number;
    return this.isRunning(state, owner) && (state.places[owner]?.entered ?? false);
  }

  /** {@link probe}, once for a record. */
  probed(state: State, key: string): string | undefined | Promise<string | undefined> {
    const uid = state.keys[key]?.record?.uid ?? 0;
    if (this.probes.has(uid)) return this.probes.get(uid);
    return this.probe(state, key).then((error) => {
      this.probes.set(uid, error);
      return error;
    });
  }

  /** How a request ends that comes when every lease is over, and meets no fault: nobody else is there any more. */
  private async probe(state: State, key: string): Promise<string | undefined> {
    const program = this.programs.find((one) => one.key === key) as Program;
    const executor = new Executor(this.code, { ...program, endings: ['return'], ahead: 0, timers: false }, 90);
    const { record } = (state.keys[key] as KeyState).record ?? {};
    const leaseUntil = record && 'leaseUntil' in record ? record.leaseUntil : 0;
    const now = Math.max(state.time * SECOND, leaseUntil);
    let found = record;
    let place = await executor.start(now);
    for (let asked = 0; !place.result; asked++) {
      const { request } = place.pending[0] as { request: Request };
      const isEffect = request.kind === 'effect';
      const next = isEffect ? undefined : this.swapped(found, request);
      const reply: Reply = isEffect
        ? { ending: 'return' }
        : { written: next ? { done: true } : { done: false, found } };
      found = next ?? found;
      place = await executor.tell(place, 0, reply, `${asked}`, now);
    }
    return 'error' in place.result ? place.result.error : undefined;
  }

  private intern(record: IdempotencyRecord): Interned {
    const json = JSON.stringify(record);
    let interned = this.records.get(json);
    if (!interned) {
      interned = { uid: this.records.size + 1, record };
      this.records.set(json, interned);
    }
    return interned;
  }
}

/** The executor whose record it is. */
export function ownerOf(record: IdempotencyRecord | undefined): number | undefined {
  return record?.owner === undefined ? undefined : Number.parseInt(record.owner, 10);
}

export function bodyOf(record: IdempotencyRecord): string | undefined {
  return record.status === 'COMPLETED' && record.outcome.kind !== 'unavailable' ? `${record.outcome.body}` : undefined;
}

/** Whether only the owner of a record may do it. */
export function isOwners(request: Request): boolean {
  return request.kind === 'update' || (request.kind === 'transact' && 'held' in request.write);
}

export function isRelease(request: Request): boolean {
  return request.kind === 'update' && endOf(request.change) === 'release';
}

function idOf(request: Request): string {
  if (request.kind === 'insert') return request.next.id;
  if (request.kind === 'replace') return request.seen.id === request.next.id ? request.seen.id : 'two';
  if (request.kind === 'update') return request.held.id;
  if (request.kind !== 'transact') throw new Error(`${request.kind} is of no record`);
  return 'held' in request.write ? request.write.held.id : request.write.next.id;
}

function settles(request: Request): boolean {
  return (request.kind === 'update' && endOf(request.change) !== undefined) || request.kind === 'transact';
}

function allowanceOf(request: Request): Partial<Record<'allowed' | 'stepsAllowed', number>> {
  return { allowed: 1, ...(request.kind === 'update' && 'step' in request.change && { stepsAllowed: 1 }) };
}

function endOf(change: Change): 'completion' | 'step' | 'release' | undefined {
  if ('outcome' in change) return 'completion';
  if ('step' in change) return 'step';
  return 'leaseUntil' in change || 'leaseEnded' in change ? undefined : 'release';
}

function nameOf(request: Request): string {
  if (request.kind !== 'update') return request.kind;
  return endOf(request.change) ?? ('leaseEnded' in request.change ? 'surrender' : 'extension');
}

function isDone({ reply }: Applied): boolean {
  return 'written' in reply && reply.written.done;
}

type Counter = 'work' | 'steps' | 'allowed' | 'stepsAllowed';

function add(state: State, key: string, more: Partial<Record<Counter, number>>): State {
  const of = state.keys[key] as KeyState;
  const sums = Object.entries(more).map(([name, by]) => [name, of[name as Counter] + by]);
  return keyed(state, key, Object.fromEntries(sums));
}

function keyed(state: State, key: string, changed: Partial<KeyState>): State {
  return { ...state, keys: { ...state.keys, [key]: { ...(state.keys[key] as KeyState), ...changed } } };
}

function doubt(state: State, i: number): State {
  return { ...state, doubtful: state.doubtful.with(i, true) };
}
