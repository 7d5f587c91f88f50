import type { Finding } from '../../lib/rules/rule.ts';

/** What was looked at, and what came of it. */
export interface Looked {
  /** `table records`, `function charge`. */
  readonly at: string;
  readonly came: 'fine' | 'wrong' | 'unchecked';
  readonly text: string;
  /** Of what is wrong: the rule of the constructs, as IdempotencyAudit names it. */
  readonly rule?: string;
}

export interface Report {
  readonly looked: Looked[];
  /** Judges by rules; says what is fine if none is broken. */
  readonly judge: (at: string, findings: readonly Finding[], fine: string) => void;
  /** Asks AWS; undefined, and a note, if that is not allowed or possible. */
  readonly ask: <T>(at: string, what: string, action: string, send: () => Promise<T>) => Promise<T | undefined>;
}

/** Nothing else is worth looking at. */
export class Unusable extends Error {
  override readonly cause: unknown;

  constructor(cause: unknown) {
    super(String(cause));
    this.cause = cause;
  }
}

export function reportOf(): Report {
  const looked: Looked[] = [];
  return {
    looked,
    judge(at, findings, fine) {
      for (const { rule, text } of findings) looked.push({ at, came: 'wrong', text, rule });
      if (findings.length === 0) looked.push({ at, came: 'fine', text: fine });
    },
    async ask(at, what, action, send) {
      try {
        return await send();
      } catch (error) {
        if (error instanceof Unusable) throw error.cause;
        const { name, message } = error as Error;
        const isDenied = /^AccessDenied(Exception)?$|NotAuthorized/.test(name);
        const why = isDenied ? `it takes the permission ${action}` : `${action} failed: ${message || name}`;
        looked.push({ at, came: 'unchecked', text: `${what} could not be checked: ${why}` });
        return undefined;
      }
    },
  };
}
