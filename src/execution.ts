/** What a running handler can do: `context.idempotency`, and the argument of `runOnce`'s function. */
export interface Execution {
  /** The idempotency key; `undefined` in an unprotected run. */
  readonly key: string | undefined;
  /** 1, 2, 3 … rises with every takeover. */
  readonly attempt: number;
  /** Aborts when the lease is over on this machine's clock: whatever is not done by then is somebody else's. */
  readonly signal: AbortSignal;
  /** Ms until the invocation's deadline, or where there is none until the lease ends. */
  remaining(): number;
}

/** A handler's context with its execution. */
export type WithExecution<Context> = Context & { readonly idempotency: Execution };

/** A view of the context: the runtime's own object, with its setters, shows through. */
export function withExecution<Context extends object>(context: Context, execution: Execution): WithExecution<Context> {
  return Object.create(context ?? null, { idempotency: { value: execution, enumerable: true } });
}
