import { isFunction, parsed, that } from '../core/check.ts';
import { isIdempotencyError } from '../core/errors.ts';
import { type IdempotencyEvent, subscribe } from '../core/events.ts';
import { writeLine } from './line.ts';

/** As `console` is one. Each call is given one line of JSON. */
export interface Logger {
  warn(line: string): unknown;
  error(line: string): unknown;
}

export interface LogOptions {
  /** @default - in Lambda standard output, where a line stays as it is; elsewhere `console` */
  readonly logger?: Logger;
}

const OPTIONS = {
  logger: that<Logger>((value) => {
    const { warn, error } = (value ?? {}) as Partial<Logger>;
    return isFunction(warn) && isFunction(error);
  }, 'a logger with `warn` and `error`, as `console` is one'),
};

/**
 * Logs what somebody should look into, one line of JSON each, until the function that it returns is called: arrivals that are refused because of
 * the configuration, leases that were lost, and ends that are not sure. A line has `timestamp`, `level`, `message`, `code`, the record's `id` where
 * there is one, and what every event says; never a key, a payload or a value.
 *
 * Throws `CONFIG_INVALID` for an unknown option, and for what is no logger.
 *
 * @example
 * log({ logger: console });
 */
export function log(options: LogOptions = {}): () => void {
  const { logger } = parsed('log', options, OPTIONS);
  return subscribe((event) => {
    const entry = entryOf(event);
    if (!entry) return undefined;
    const { level, message, code, ...more } = entry;
    const { at, type, scope, source, requestId } = event;
    const timestamp = new Date(at).toISOString();
    const line = { timestamp, level, message, code, type, ...more, scope, source, requestId };
    if (!logger && process.env['LAMBDA_TASK_ROOT']) return writeLine(line);
    return (logger ?? console)[level === 'WARN' ? 'warn' : 'error'](JSON.stringify(line));
  });
}

interface Entry {
  readonly level: 'WARN' | 'ERROR';
  readonly message: string;
  readonly code: string;
  readonly id?: string | undefined;
  readonly attempt?: number | undefined;
  readonly why?: string;
}

function entryOf(event: IdempotencyEvent): Entry | undefined {
  switch (event.type) {
    case 'refused': {
      const { code, id, attempt, error } = event;
      if (code !== 'CONFIG_INVALID' || !isIdempotencyError(error)) return undefined;
      return { level: 'ERROR', message: error.message, code, id, attempt };
    }
    case 'lost': {
      const { code, id, attempt } = event;
      return { level: 'WARN', message: 'another run has the key, and there is no outcome to adopt', code, id, attempt };
    }
    case 'unsure': {
      const { id, attempt, why } = event;
      const message = 'a run has ended, and whether its effect is on record is not known';
      return { level: 'ERROR', message, code: 'OUTCOME_UNKNOWN', id, attempt, why };
    }
    default:
      return undefined;
  }
}
