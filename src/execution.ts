import type { TransactWrite } from './core/store.ts';

/** What a step is given. */
export interface StepContext {
  /** Pass it to the service you call (Stripe, SQS `MessageDeduplicationId` …); it is the same on every attempt. */
  readonly key: string;
  /** Of the run, see {@link Execution}. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/**
 * What a running handler can do: `context.idempotency`, and the argument of `runOnce`'s function.
 *
 * @example
 * const charge = await context.idempotency.step('charge', ({ key }) => payments.charge(order, { idempotencyKey: key }));
 * await context.idempotency.commit({ statusCode: 201 }, [{ Put: { TableName: 'orders', Item: { id: order.id, charge } } }]);
 */
export interface Execution {
  /** Partition key of the record, for logs of your own: what operators find it by. `undefined` in an unprotected run. */
  readonly id: string | undefined;
  /** The idempotency key; `undefined` in an unprotected run. */
  readonly key: string | undefined;
  /** 1, 2, 3 … rises with every takeover: a fencing token, on which a write of yours can be conditioned. */
  readonly attempt: number;
  /** Aborts when the lease ends on this machine's clock. After that, another run may take the key. */
  readonly signal: AbortSignal;
  /** Ms until the invocation's deadline or, without a deadline, until the lease ends. */
  remaining(): number;
  /**
   * Runs a part of the handler once: its value (or its terminal error) is recorded before the handler goes on, and a later
   * attempt, after a crash or a failure, gets it without running `fn` again. Interrupted before that, `fn` runs again with the
   * same `key`. Steps may run side by side; the run waits for them before it ends, and one that fails while nobody waits for it
   * causes a process warning. An unprotected run just runs `fn`.
   *
   * Throws what `fn` throws, and an `IdempotencyError`: `MISUSE` for a name that is empty, longer than 255 characters or used
   * twice in a run, after the commit, after the run, and if the record has no room for another step; `LEASE_LOST` when the lease has ended; `STORE_UNAVAILABLE` when it is not sure that the value
   * was recorded (the key is not released then); `RESULT_UNAVAILABLE` when an earlier attempt's value could not be kept.
   */
  step<T>(name: string, fn: (step: StepContext) => Promise<T> | T): Promise<T>;
  /**
   * A key for an effect of this run, in the shape of a UUID: the same on every attempt, another for every name.
   * Throws `MISUSE` in an unprotected run.
   */
  keyFor(name: string): string;
  /**
   * Records `value` as the outcome together with `writes`, in one DynamoDB transaction: all or nothing, and at most once. The
   * run answers with `value` then, whatever the handler returns or throws, or other middlewares make of it.
   *
   * `writes`: at most 99, in the shapes of lib-dynamodb's `TransactWriteCommand`. Throws DynamoDB's
   * `TransactionCanceledException` when a condition of one fails (nothing was written, the key is still held), and an
   * `IdempotencyError`: `MISUSE` for a second commit, for writes that DynamoDB would refuse, in an unprotected run and on a store without
   * transactions; `LEASE_LOST`; `STORE_UNAVAILABLE` when it is not sure whether it has landed (the key is not released then).
   */
  commit(value: unknown, writes: readonly TransactWrite[]): Promise<void>;
  /**
   * Says that nothing was done, and that nothing will be, as for a request that is not valid: the run answers with what its handler
   * returns or throws, nothing is recorded, and the key is free again, also for another payload. (Where an earlier run may have done
   * something, only for the same one.) In mode `'atomic'` the handler need not commit then.
   *
   * From now on `step` and `commit` throw `MISUSE`; `forget` throws it once one of them has begun. Does nothing in an unprotected run.
   */
  forget(): void;
}

/** What is known of a run that was never heard of again. */
export interface Previous {
  readonly attempt: number;
  /** Epoch ms at which it claimed the key. */
  readonly claimedAt: number;
  /** Epoch ms at which its lease ended; the clock skew is in it. */
  readonly leaseUntil: number;
  /** What its steps, and those of the attempts before it, ended with. */
  readonly steps: Readonly<Record<string, PreviousStep>>;
}

export type PreviousStep =
  | { readonly value: unknown }
  | { readonly error: unknown }
  /** Done, but its value could not be kept. */
  | { readonly unavailable: true };

/**
 * Finds out whether the effect of a lost run happened, for example by asking the payment provider: `value` is recorded as the outcome,
 * `rerun` runs the handler. Runs under a fresh claim, so never twice at once; if it throws, the outcome stays unknown, the
 * caller gets the error, and the next request reconciles again.
 */
export type Reconcile = (execution: Execution, previous: Previous) => Promise<Verdict> | Verdict;

export type Verdict = { readonly rerun: true } | { readonly value: unknown };

/** A handler's context with its execution. */
export type WithExecution<Context> = Context & { readonly idempotency: Execution };

/**
 * A context of one run: what Lambda gave, so that it can be spread, assigned and printed, and `idempotency`. Its setters are those of the
 * runtime's own object.
 */
export function withExecution<Context extends object>(context: Context, execution: Execution): WithExecution<Context> {
  const given = context ?? {};
  const copy = Object.create(Object.getPrototypeOf(given));
  for (const name of Reflect.ownKeys(given)) {
    if (name === 'idempotency') continue;
    const own = Object.getOwnPropertyDescriptor(given, name) as PropertyDescriptor;
    const isLive = own.get || own.set || name === SETTABLE;
    define(copy, name, isLive ? forwarded(given, name, own.enumerable) : own);
  }
  return define(copy, 'idempotency', { ...OWN, value: execution });
}

/** As `Object.defineProperty`, and faster by far for what an assignment makes. */
function define(object: any, name: string | symbol, own: PropertyDescriptor) {
  if (!(own.writable && own.enumerable && own.configurable) || name in object) {
    return Object.defineProperty(object, name, own);
  }
  object[name] = own.value;
  return object;
}

const OWN = { enumerable: true, writable: true, configurable: true };

/** What the runtime reads after the handler: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html. */
const SETTABLE = 'callbackWaitsForEmptyEventLoop';

function forwarded(to: any, name: string | symbol, enumerable = true): PropertyDescriptor {
  return {
    get: () => to[name],
    set: (value) => {
      to[name] = value;
    },
    enumerable,
    configurable: true,
  };
}
