import type { IdempotencyRecord } from '../../src/core/record.ts';
import type * as memory from '../../src/stores/memory.ts';
import { type Code, Executor, type Program, type Reply, SECOND, type StoreRequest } from './executor.ts';
import { isOfStore, recordIdOf } from './requests.ts';
import { type Interned, initialState, type KeyState, type State } from './state.ts';

/** What may go wrong, and how far time may pass. */
export interface Bounds {
  readonly crashes: number;
  /** Requests without an answer. */
  readonly faults: number;
  /** Seconds. */
  readonly time: number;
  /** Whether a condition of the user's writes in a commit may fail. */
  readonly refusals?: boolean;
  /** Whether writes of different records share requests, whose answer may be lost as a whole. */
  readonly groups?: boolean;
}

/** What a request made of a record. */
export interface Applied {
  readonly reply: Reply;
  readonly replyKey: string;
  readonly after: Interned | undefined;
}

export function isDone({ reply }: Applied): boolean {
  return 'written' in reply && reply.written.done;
}

/** A few executors and the store between them: what does not change from state to state. */
export class World {
  readonly executors: readonly Executor[];
  readonly programs: readonly Program[];
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
    const { crashes, faults } = this.bounds;
    const keys = this.programs.map(({ key }) => key);
    return initialState(keys, crashes, faults);
  }

  clockOf(state: State, i: number): number {
    return state.time * SECOND + this.program(i).ahead;
  }

  program(i: number): Program {
    return this.programs[i] as Program;
  }

  /** What a request makes of the record it finds. */
  apply(state: State, i: number, request: StoreRequest, uid: number): Applied {
    const found = state.keys[this.program(i).key]?.record;
    const key = `${found?.uid ?? 0}/${i}/${uid}`;
    let applied = this.applied.get(key);
    if (!applied) {
      const next = this.store.applied(found?.record, request.write);
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

  /** Whether a request is not for the one record of its key, or for that of another key. */
  isClash({ keys }: State, i: number, request: StoreRequest): boolean {
    const id = recordIdOf(request);
    return Object.entries(keys).some(([key, of]) => of.id !== '' && (of.id === id) !== (key === this.program(i).key));
  }

  isExpired(state: State, i: number, record: IdempotencyRecord | undefined): boolean {
    return record?.expiresAt !== undefined && record.expiresAt * SECOND <= this.clockOf(state, i);
  }

  /** Whether somebody's clock is past a record's retention. */
  mayBeExpired(state: State, record: IdempotencyRecord): boolean {
    return this.programs.some((_, i) => this.isExpired(state, i, record));
  }

  /** Whether unknown outcomes of the key are looked into. */
  isLooking(key: string): boolean {
    return this.some(key, ({ reconcile }) => reconcile !== undefined);
  }

  /** Whether an unknown outcome of the key is not to be rerun. */
  isRefusing(key: string): boolean {
    return this.some(key, ({ options }) => options?.onUnknown === 'refuse');
  }

  /** Whether every run of the key commits. */
  isCommitting(key: string): boolean {
    return !this.some(key, ({ commits }) => !commits);
  }

  /** Whether a run of the key forgets. */
  isForgetting(key: string): boolean {
    return this.some(key, ({ forgets }) => forgets === true);
  }

  isAtomic(key: string): boolean {
    return this.some(key, ({ options }) => options?.mode === 'atomic');
  }

  /** Steps that a run of the key has. */
  stepsOf(key: string): number {
    return Math.max(...this.programs.map((program) => (program.key === key ? (program.steps ?? 0) : 0)));
  }

  private some(key: string, is: (program: Program) => boolean): boolean {
    return this.programs.some((program) => program.key === key && is(program));
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
    let { record: found } = (state.keys[key] as KeyState).record ?? {};
    const leaseUntil = found && 'leaseUntil' in found ? found.leaseUntil : 0;
    const now = Math.max(state.time * SECOND, leaseUntil);
    let place = await executor.start(now);
    for (let asked = 0; !place.result; asked++) {
      const [{ request }] = place.pending as [(typeof place.pending)[number]];
      let reply: Reply = { ending: 'return' };
      if (isOfStore(request)) {
        const next = this.store.applied(found, request.write);
        reply = { written: next ? { done: true } : { done: false, found } };
        found = next ?? found;
      }
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
