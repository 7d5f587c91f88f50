/** The promise of some work that knows whether anybody waits for it. If nobody does, its failure does not end the process. */
export class Watched<T> extends Promise<T> {
  isAwaited = false;
  hasFailed = false;
  error: unknown;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(work: Promise<T>, onFailure: (error: unknown) => void) {
    super((resolve) => resolve(work));
    super.then(undefined, (error) => {
      this.hasFailed = true;
      this.error = error;
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
