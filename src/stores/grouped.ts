import { nextTick } from 'node:process'; // the real one, also where a test fakes timers
import { IdempotencyError } from '../core/errors.ts';
import { isTransient } from '../core/patience.ts';
import { type Failed, idOf, type Store, type Write, type Written } from '../core/store.ts';

/** Of a `BatchExecuteStatement`. */
const MOST = 25;

/** Ms for which a write waits for a group that is under way. */
const LONGEST_WAIT_MS = 5;

type Result = Written | Failed;

export interface Grouping {
  /** Writes different records in one request, each judged alone. Of some it may take longer to tell what was in their way. */
  readonly writeAll: (writes: readonly Write[], signal?: AbortSignal) => Promise<readonly (Result | Promise<Result>)[]>;
  /** False: writes go one by one. */
  readonly isUsable: () => boolean;
}

/**
 * Gathers the claims, completions and releases that are written in one turn of the event loop, and those that come while a group of
 * them is under way, into requests of up to 25. One that is alone goes alone; so does one that has failed in a group, at once or
 * when its caller tries it again. Two writes of one record never share a request.
 */
export function grouped(store: Store, { writeAll, isUsable }: Grouping): Store {
  const failed = new WeakSet<Write>();
  let waiting: Waiting[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  const plan = (): void => {
    // What else is written in this turn comes before its end, and goes along.
    if (underWay === 0 || waiting.length >= MOST) nextTick(flush);
    else timer ??= setTimeout(flush, LONGEST_WAIT_MS);
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const all = waiting;
    waiting = [];
    for (const { signal, reject } of all) if (signal?.aborted) reject(unsent());
    for (const group of groupsOf(all.filter(({ signal }) => !signal?.aborted))) {
      if (group.length > 1) send(group);
      else group[0]?.resolve(ALONE);
    }
  };

  const send = async (group: readonly Waiting[]): Promise<void> => {
    underWay++;
    const results = await answersTo(group);
    underWay--;
    for (const [index, one] of group.entries()) {
      const result = results[index] ?? { failed: unanswered() };
      if (result instanceof Promise) {
        result.then(
          (late) => settle(one, late),
          (error) => settle(one, { failed: error }),
        );
      } else settle(one, result);
    }
    nextTick(flush); // with what those will write now
  };

  const answersTo = (group: readonly Waiting[]): Promise<readonly (Result | Promise<Result>)[]> =>
    new Promise((resolve) => {
      const failAll = (error: unknown): void => resolve(group.map(() => ({ failed: error })));
      const writes = group.map(({ write }) => write);
      writeAll(writes, whenAllHaveLeft(group, failAll)).then(resolve, failAll);
    });

  const settle = (one: Waiting, result: Result): void => {
    if ('failed' in result) {
      failed.add(one.write);
      // What may pass is tried again by its caller, in time. Who has left must not be written for any more.
      if (isTransient(result.failed) || one.signal?.aborted) one.reject(result.failed);
      else one.resolve(ALONE);
    } else one.resolve(result);
  };

  return {
    ...store,
    write(write, signal) {
      if (!isGroupable(write) || failed.has(write) || !isUsable()) return store.write(write, signal);
      const turn = new Promise<Written | typeof ALONE>((resolve, reject) => {
        waiting.push({ write, signal, resolve, reject });
        plan();
      });
      // Here, and not where the group is sent: tracing is to know whose request it is.
      return turn.then((written) => (written === ALONE ? store.write(write, signal) : written));
    },
  };
}

interface Waiting {
  readonly write: Write;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (written: Written | typeof ALONE) => void;
  readonly reject: (error: unknown) => void;
}

/** The write is to be sent alone. */
const ALONE = Symbol('alone');

function unsent(): IdempotencyError {
  return new IdempotencyError('STORE_UNAVAILABLE', 'given up before it was sent', { isUnwritten: true });
}

function unanswered(): IdempotencyError {
  return new IdempotencyError('STORE_UNAVAILABLE', 'no answer for one of several writes', { isPassing: true });
}

function isGroupable(write: Write): boolean {
  if (write.kind !== 'update') return write.kind === 'insert';
  const { change } = write;
  return change.kind === 'complete' || (change.kind === 'release' && !change.isForgotten);
}

function groupsOf(all: readonly Waiting[]): (readonly Waiting[])[] {
  if (all.length === 1) return [all];
  const groups: Map<string, Waiting>[] = [];
  for (const one of all) {
    const id = idOf(one.write);
    const group = groups.find((group) => group.size < MOST && !group.has(id));
    if (group) group.set(id, one);
    else groups.push(new Map([[id, one]]));
  }
  return groups.map((group) => [...group.values()]);
}

/** A signal that aborts when nobody waits for the group any more; a store that does not listen to it is not waited for either. */
function whenAllHaveLeft(group: readonly Waiting[], onGone: (error: unknown) => void): AbortSignal {
  const gone = new AbortController();
  let left = group.length;
  for (const { signal } of group) {
    signal?.addEventListener('abort', () => {
      if (--left > 0) return;
      gone.abort('nobody waits for it');
      onGone(gone.signal.reason);
    });
  }
  return gone.signal;
}
