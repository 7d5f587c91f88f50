import { IdempotencyError } from '../core/errors.ts';
import { intercepted, type Store, type TransactWrite } from '../core/store.ts';
import { nameOf } from './calls.ts';
import { type Counts, type Effects, type Tally, tally, textOf, type Wrapped } from './effects.ts';
import { type Handler, launch, type Process } from './lambda.ts';
import { memoryStore } from './memory.ts';

/** What may go wrong at a place. */
export type Mishap = 'crash before' | 'crash after' | 'lost answer of';

/** A call of a store or an effect, in the order in which they come. */
export interface Place {
  readonly name: string;
  readonly mishaps: readonly Mishap[];
}

/** What is needed to play one schedule. */
export interface Setting {
  readonly build: (world: { store: Store; effects: Wrapped<any> }) => Handler | Promise<Handler>;
  readonly event: unknown;
  readonly effects: () => Effects;
  readonly transact: ((writes: readonly TransactWrite[]) => void) | undefined;
  /** Ms. */
  readonly timeout: number;
  /** Epoch ms. */
  readonly start: number;
  /** Until an outcome. */
  readonly deliveries: number;
}

const OF_EFFECTS: readonly Mishap[] = ['crash before', 'crash after'];
const OF_STORE: readonly Mishap[] = [...OF_EFFECTS, 'lost answer of'];

/** The commit counts as an effect of this name. */
export const COMMIT = 'commit';

/** The world of one schedule. */
interface Scene {
  readonly places: readonly Place[];
  readonly history: readonly string[];
  readonly note: (line: string) => void;
  readonly counts: () => Counts;
  /** Epoch ms at which all leases are over. */
  readonly leasesEnd: () => number;
  /** A process that has loaded the handler. */
  readonly launched: (at: number) => Process;
}

/** An empty world, in which things go wrong at places that are counted as they come. */
export function sceneOf(setting: Setting, mishaps: ReadonlyMap<number, Mishap>): Scene {
  const { build, effects: effectsOf, transact, timeout } = setting;
  const places: Place[] = [];
  const history: string[] = [];
  const records = memoryStore(transact && { transact });
  const happened = tally();
  const effects = effectsOf();
  const note = (line: string): void => {
    history.push(line);
  };

  const around = async <T>(process: Process, call: string, of: Place, apply: () => Promise<T>): Promise<T> => {
    if (process.isDead()) return never();
    const mishap = mishaps.get(places.length);
    places.push(of);
    if (mishap === 'crash before') return died(process, `  ✗ crash before ${call}`);
    const { line, end } = await apply().then(
      (value) => ({ line: `  ${call}${remarkOn(value)}`, end: () => value }),
      (error: unknown) => ({ line: `  ${call} throws ${error}`, end: () => Promise.reject<T>(error) }),
    );
    if (process.isDead()) return died(process, `${line}, of which nobody hears`);
    if (mishap === 'crash after') return died(process, line, '  ✗ crash after it');
    if (mishap) {
      note(`${line}: ✗ the answer is lost`);
      throw new IdempotencyError('STORE_UNAVAILABLE', `the answer of ${call} was lost`);
    }
    note(line);
    return end();
  };
  const died = (process: Process, ...lines: string[]): Promise<never> => {
    history.push(...lines);
    process.die();
    return never();
  };

  const handlerIn = (process: Process): Handler | Promise<Handler> => {
    const store = intercepted(counting(records, happened), (call, send, signal) => {
      const name = nameOf(call);
      return around(process, name, { name, mishaps: OF_STORE }, () => send(signal));
    });
    const wrapped = Object.entries(effects).map(([name, effect]) => [
      name,
      async (...args: unknown[]) => {
        const call = `${name}(${shortened(textOf(args))})`;
        const happens = () => happened.happen(name, effect, args);
        return (await around(process, call, { name, mishaps: OF_EFFECTS }, happens)).answer;
      },
    ]);
    return build({ store, effects: Object.fromEntries(wrapped) });
  };

  return {
    places,
    history,
    note,
    counts: happened.counts,
    leasesEnd: () =>
      Math.max(0, ...records.records().map((record) => ('leaseUntil' in record ? record.leaseUntil : 0))),
    launched: (at) => launch(at, timeout, handlerIn, () => note('  ✗ timeout')),
  };
}

/** A store whose commits count as effects. */
function counting(store: ReturnType<typeof memoryStore>, { happen }: Tally): Store {
  return {
    ...store,
    transact: async (write, writes) => {
      const result = await store.transact(write, writes);
      if (result.done) await happen(COMMIT, () => {}, writes);
      return result;
    },
  };
}

function remarkOn(value: unknown): string {
  const { done, isKnown, refusal } = (value ?? {}) as { done?: boolean; isKnown?: boolean; refusal?: unknown };
  if (isKnown) return ' with a known key: it has happened before';
  if (refusal !== undefined) return ` is refused: ${refusal}`;
  return done === false ? ' meets a record' : '';
}

export function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}

function never(): Promise<never> {
  return new Promise(() => {});
}
