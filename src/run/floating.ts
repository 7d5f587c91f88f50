import { textOf } from '../core/errors.ts';

/** What a handler has begun, and may have left behind. */
export interface Floating {
  /** The promise of some work that knows whether anybody waits for it. If nobody does, its failure does not end the process. */
  readonly watch: <T>(what: string, work: Promise<T>) => Promise<T>;
  /** To be called when the handler has ended: warns of what has failed while nobody waited for it, and from now on of what does. */
  readonly close: () => void;
  /** Whether the handler has ended: nothing further may begin. */
  readonly isClosed: () => boolean;
  /** Whether nothing was begun. */
  readonly isIdle: () => boolean;
  /** Resolves when all of it has ended. */
  readonly settled: () => Promise<unknown>;
}

/** `id`: of the record, if there is one. */
export function floatingOf(id?: string): Floating {
  const begun: { readonly what: string; readonly work: Promise<unknown>; readonly ended: Watched<unknown> }[] = [];
  let isClosed = false;

  const warn = (what: string, error: unknown): void => {
    const whose = id === undefined ? '' : ` of ${id}`;
    process.emitWarning(`${what}${whose} failed, and nobody waits for it: ${textOf(error)}`, 'IdempotencyWarning');
  };

  return {
    watch(what, work) {
      const ended = new Watched(work, (error) => {
        // Before the end, the handler may be about to wait for it.
        if (isClosed && !ended.isAwaited) warn(what, error);
      });
      begun.push({ what, work, ended });
      return ended;
    },

    close() {
      isClosed = true;
      for (const { what, ended } of begun) {
        if (ended.failure && !ended.isAwaited) warn(what, ended.failure.error);
      }
    },

    isClosed: () => isClosed,

    isIdle: () => begun.length === 0,

    settled: () => Promise.allSettled(begun.map(({ work }) => work)),
  };
}

/** A subclass: `await` does not call the `then` of a native promise. */
class Watched<T> extends Promise<T> {
  isAwaited = false;
  failure?: { readonly error: unknown };

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(work: Promise<T>, onFailure: (error: unknown) => void) {
    super((resolve) => resolve(work));
    super.then(undefined, (error) => {
      this.failure = { error };
      onFailure(error);
    });
  }

  // biome-ignore lint/suspicious/noThenProperty: whoever waits for it calls this
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isAwaited = true;
    return super.then(onFulfilled, onRejected);
  }
}
