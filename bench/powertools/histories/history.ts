import type { Finding, Lab } from '../lab.ts';

/** What happens to an operation, told once and played with each library. Letters are those of `docs/hazards.md`. */
export interface History {
  readonly id: string;
  readonly story: string;
  readonly play: (lab: Lab) => Promise<Finding>;
}

/** What a caller sees of a call. */
export interface Seen {
  readonly isError: boolean;
  readonly value?: unknown;
  readonly error?: any;
}

export async function see(answer: Promise<unknown>): Promise<Seen> {
  return answer.then(
    (value) => ({ isError: false, value }),
    (error) => ({ isError: true, error }),
  );
}

/** In a word or two. */
export function said({ isError, value, error }: Seen): string {
  if (isError) return String(error?.code ?? error?.name ?? error).replace(/^Idempotency/, '');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A handler that counts its effects. Runs whose number is among `held` stop after theirs, until they are let go. */
export function effectful(held: readonly number[] = []) {
  let effects = 0;
  const gates = new Map(held.map((run) => [run, Promise.withResolvers<unknown>()]));
  const entries = new Map(held.map((run) => [run, Promise.withResolvers<void>()]));
  return {
    count: () => effects,
    handler: async (): Promise<unknown> => {
      const run = ++effects;
      entries.get(run)?.resolve();
      return gates.has(run) ? gates.get(run)?.promise : `run ${run}`;
    },
    /** Comes back when a held run has had its effect. */
    entered: (run: number) => entries.get(run)?.promise,
    letGo: (run: number) => gates.get(run)?.resolve(`run ${run}`),
    fail: (run: number) => gates.get(run)?.reject(new Error(`run ${run} failed`)),
  };
}

/** The verdict of a history that is safe with so many effects. */
export function effects(count: number, safe: number, ...more: readonly string[]): Finding {
  return { isSafe: count === safe, saw: [`${count} effect${count === 1 ? '' : 's'}`, ...more].join(', ') };
}
