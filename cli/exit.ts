import { isIdempotencyError } from '../src/core/errors.ts';
import { credentialsFault } from './credentials.ts';

/** How the command ends; documented in docs/operate.md. */
export const EXIT = {
  done: 0,
  /** `doctor` has found something to mend. */
  findings: 1,
  usage: 2,
  noRecord: 3,
  refused: 4,
  configuration: 5,
  unavailable: 6,
  notConfirmed: 7,
  interrupted: 130,
} as const;

/** Why the command ends, in one sentence. */
export class Ended extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export function usage(message: string): Ended {
  return new Ended(EXIT.usage, message);
}

/** What is built of options: what is wrong with them is a matter of usage. */
export function built<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    throw error instanceof Ended ? error : usage((error as Error).message);
  }
}

/** The sentence and the code for what was thrown. */
export function endOf(error: unknown): { readonly code: number; readonly message: string } {
  if (error instanceof Ended) return error;
  const fault = credentialsFault(error);
  if (fault !== undefined) return { code: EXIT.configuration, message: fault };
  const message = error instanceof Error ? error.message : String(error);
  if (!isIdempotencyError(error)) return { code: EXIT.configuration, message };
  switch (error.code) {
    case 'STORE_UNAVAILABLE':
      return { code: EXIT.unavailable, message };
    case 'CONFIG_INVALID':
      return { code: EXIT.configuration, message };
    default:
      return { code: message.startsWith('there is no record') ? EXIT.noRecord : EXIT.refused, message };
  }
}
