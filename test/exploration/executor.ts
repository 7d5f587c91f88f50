import { subscribe } from '../../src/core/events.ts';
import type { Store, Write, Written } from '../../src/core/store.ts';
import type { Execution } from '../../src/execution.ts';
import type { RunOnceOptions } from '../../src/options.ts';
import { turn } from '../../src/testing/virtual-time.ts';
import { inWorld, type Timer, type World } from './deterministic.ts';

/** The code that is explored: the real one, or one with a guard taken out. */
export interface Code {
  runOnce<T>(options: RunOnceOptions, fn: (execution: Execution) => Promise<T>): Promise<T>;
  readonly TerminalError: new (message: string) => Error;
  readonly IdempotencyError: new (code: 'STORE_UNAVAILABLE', message: string) => Error;
}

/** What an executor waits for; `at`: since when, in ms on its own clock. */
export type Request = Wanted & { readonly at: number };

/** One that reaches the store. */
export type StoreRequest = Request & { readonly kind: 'write' | 'transact' };

type Wanted =
  | { readonly kind: 'write' | 'transact'; readonly write: Write }
  | { readonly kind: 'effect'; readonly name: string }
  | { readonly kind: 'timer'; readonly due: number };

/** How an effect ends: it has happened, and then the handler goes on, or throws. */
type Ending = 'return' | 'fail' | 'terminal';

export type Reply =
  | { readonly written: Written }
  | { readonly refused: true }
  | { readonly unavailable: true }
  | { readonly ending: Ending }
  | { readonly fired: true };

/** What one executor is told, at a time of its own clock. */
interface Input {
  readonly now: number;
  /** Which of the requests that it waits for; -1: it starts. */
  readonly index: number;
  readonly reply?: Reply;
}

interface Value {
  readonly by: number;
  readonly key: string;
  readonly payload: string;
}

export type Result = { readonly value: Value } | { readonly error: string };

/** Where an executor is after all it was told: it waits for requests, or it has ended. */
export interface Place {
  readonly uid: number;
  readonly pending: readonly { readonly uid: number; readonly request: Request }[];
  readonly result?: Result | undefined;
  /** The handler was run. */
  readonly entered: boolean;
  /** The handler is running. */
  readonly inside: boolean;
  /** Epoch ms on its own clock until which it was promised that nobody else runs; 0 without a lease. */
  readonly liveUntil: number;
  readonly told: readonly Input[];
  /** Types of the events that it published. */
  readonly events: readonly string[];
}

export type Handler = (execution: Execution, world: HandlerWorld) => Promise<unknown>;

interface HandlerWorld {
  readonly effect: (name: string) => Promise<void>;
  readonly value: Value;
}

export interface Program {
  /** One for each identity; asked for by it, unless `options` say more. */
  readonly key: string;
  readonly payload: string;
  readonly handler: Handler;
  readonly options?: Partial<RunOnceOptions>;
  /** What it finds out about an unknown outcome, as an effect that may fail. */
  readonly reconcile?: { readonly rerun: true } | { readonly value: Value };
  /** Whether every run of it that returns has committed. */
  readonly commits?: boolean;
  /** Whether a run of it forgets, before anything else. */
  readonly forgets?: boolean;
  /** How many steps a run has. */
  readonly steps?: number;
  /** How its effects may end. */
  readonly endings: readonly Ending[];
  /** Ms its machine's clock is ahead. */
  readonly ahead: number;
  /** Whether its lease is prolonged, and its end noticed: timers become something that happens. */
  readonly timers?: boolean;
}

export const SECOND = 1_000;
/** As short as they can be, so that all of them are over soon. */
const LEASE = SECOND;
const SKEW = 1_000;
export const RETENTION = 2 * SECOND;

/**
 * An executor runs the real code from its start for every history of what it was told, once; what it does next depends on
 * nothing else. So the product of a few executors is explored by looking up where each of them is.
 */
export class Executor {
  private readonly places = new Map<string, Place>();
  private uids = 0;
  private readonly code: Code;
  readonly program: Program;
  readonly index: number;

  constructor(code: Code, program: Program, index: number) {
    this.code = code;
    this.program = program;
    this.index = index;
  }

  start(now: number): Place | Promise<Place> {
    return this.go('', [], { now, index: -1 }, `${now}`);
  }

  /** `key` names the reply: the same place, key and time lead to the same place. */
  tell(place: Place, index: number, reply: Reply, key: string, now: number): Place | Promise<Place> {
    return this.go(`${place.uid}/${index}/${key}/${now}`, place.told, { now, index, reply }, '');
  }

  private go(path: string, told: readonly Input[], input: Input, start: string): Place | Promise<Place> {
    const key = path + start;
    return this.places.get(key) ?? this.play(key, [...told, input]);
  }

  private async play(key: string, told: readonly Input[]): Promise<Place> {
    const { code, program, index } = this;
    const pending: { request: Request; settle: (reply: Reply) => void }[] = [];
    const events: string[] = [];
    let result: Result | undefined;
    let entered = false;
    let inside = false;
    let liveUntil = 0;
    const lease = Number(program.options?.lease ?? LEASE);

    const ask = <T>(request: Wanted, open: (reply: Reply) => T): Promise<T> => {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const settle = (reply: Reply): void => {
        try {
          resolve(open(reply));
        } catch (error) {
          reject(error);
        }
      };
      pending.push({ request: { ...request, at: world.now }, settle });
      return promise;
    };
    const written = (reply: Reply): any => {
      if ('written' in reply) return reply.written;
      if ('refused' in reply) return { done: false, refusal: new Error('refused') };
      throw new code.IdempotencyError('STORE_UNAVAILABLE', 'down');
    };
    const store: Store = {
      write: async (write) => {
        const promised = world.now + lease;
        if (write.kind !== 'update') liveUntil = 'leaseUntil' in write.next ? promised : 0;
        const result = await ask({ kind: 'write', write }, written);
        if (result.done && write.kind === 'update' && write.change.kind === 'extend') liveUntil = promised;
        return result;
      },
      transact: (write) => ask({ kind: 'transact', write }, written),
    };
    const effect = (name: string): Promise<void> =>
      ask({ kind: 'effect', name }, (reply) => {
        if (!('ending' in reply) || reply.ending === 'return') return;
        const message = `${reply.ending} ${index} ${program.key} ${program.payload}`;
        throw reply.ending === 'terminal' ? new code.TerminalError(message) : new Error(message);
      });
    const { key: name, payload } = program;
    const value: Value = { by: index, key: name, payload };

    const timerOf = (due: number, fire: () => void): Timer => {
      const timer: Timer = {
        unref: () => {
          // Of a lease: patience is not unreferenced, and what it would do is told as a store that is down.
          if (program.timers) pending.push({ request: { kind: 'timer', due, at: world.now }, settle: fire });
          return timer;
        },
        clear: () => {
          const at = pending.findIndex(({ settle }) => settle === fire);
          if (at >= 0) pending.splice(at, 1);
        },
      };
      return timer;
    };

    let ids = 0;
    const world: World = { now: told[0]?.now ?? 0, idOf: () => `${index}-${++ids}`, timerOf };
    const options = { store, scope: 's', key: name, payload, lease: LEASE, clockSkew: SKEW, retention: RETENTION };
    const { reconcile } = program;
    const look = async () => {
      await effect('look');
      return reconcile as { rerun: true };
    };
    const run = async (execution: Execution): Promise<Value> => {
      entered = inside = true;
      try {
        return (await program.handler(execution, { effect, value })) as Value;
      } finally {
        inside = false;
      }
    };
    const unsubscribe = subscribe(({ type }) => void events.push(type));
    await inWorld(world, async () => {
      code.runOnce({ ...options, ...program.options, ...(reconcile && { onUnknown: look }) }, run).then(
        (value) => {
          result = { value };
        },
        (error) => {
          result = { error: error.code ?? error.message };
        },
      );
      await turn();
      for (const { now, index, reply } of told.slice(1)) {
        world.now = now;
        const [asked] = pending.splice(index, 1);
        asked?.settle(reply as Reply);
        await turn();
      }
    });
    unsubscribe();
    if (!result && pending.length === 0)
      throw new Error(`executor ${index} waits for nothing: ${JSON.stringify(told)}`);
    const place: Place = {
      uid: ++this.uids,
      pending: result ? [] : pending.map(({ request }) => ({ uid: ++this.uids, request })),
      result,
      entered,
      inside,
      liveUntil,
      told,
      events,
    };
    this.places.set(key, place);
    return place;
  }
}
