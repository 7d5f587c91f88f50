import { inspect } from 'node:util';

type AnyFunction = (...args: any[]) => any;

/**
 * Something that happens outside: a function, or one whose receiver knows idempotency keys. `key` finds the key among the
 * arguments; a call with the key of an earlier one counts as that one, and gets its answer. Without a key (`undefined`) a call
 * is one of its own. A call that throws did not happen.
 */
export type Effect = AnyFunction | { readonly run: AnyFunction; readonly key: (...args: any[]) => string | undefined };

export type Effects = Readonly<Record<string, Effect>>;

type RunOf<E extends Effect> = E extends { readonly run: infer Run extends AnyFunction } ? Run : E;

/** The effects as the handler is to call them: a crash can come before and after each. */
export type Wrapped<E extends Effects> = {
  readonly [Name in keyof E]: RunOf<E[Name]> extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

interface Happened {
  readonly answer: unknown;
  /** Its receiver knew the key: it had happened before. */
  readonly isKnown: boolean;
}

/** How often what has happened. */
export interface Tally {
  /** Makes it happen. */
  readonly happen: (name: string, effect: Effect, args: readonly unknown[]) => Promise<Happened>;
  readonly counts: () => Counts;
}

/** Of each effect: how often it happened in all, and with which arguments. */
export type Counts = ReadonlyMap<string, { readonly total: number; readonly byArguments: ReadonlyMap<string, number> }>;

export function tally(): Tally {
  const happened: { name: string; args: string }[] = [];
  const answers = new Map<string, unknown>();
  return {
    async happen(name, effect, args) {
      const { run, key } = typeof effect === 'function' ? { run: effect, key: undefined } : effect;
      const known = key?.(...args);
      const id = known === undefined ? undefined : JSON.stringify([name, known]);
      if (id !== undefined && answers.has(id)) return { answer: answers.get(id), isKnown: true };
      const answer = await run(...args);
      happened.push({ name, args: textOf(args) });
      if (id !== undefined) answers.set(id, answer);
      return { answer, isKnown: false };
    },

    counts: () => {
      const counts = new Map<string, { total: number; byArguments: Map<string, number> }>();
      for (const { name, args } of happened) {
        const count = counts.get(name) ?? { total: 0, byArguments: new Map() };
        counts.set(name, count);
        count.total++;
        count.byArguments.set(args, (count.byArguments.get(args) ?? 0) + 1);
      }
      return counts;
    },
  };
}

/** Arguments, or an answer, in one line. */
export function textOf(values: readonly unknown[]): string {
  const options = { depth: 10, breakLength: Number.POSITIVE_INFINITY, sorted: true } as const;
  return values.map((value) => inspect(value, options)).join(', ');
}
