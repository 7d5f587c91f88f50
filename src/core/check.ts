import { type Duration, durationOf } from './duration.ts';
import { IdempotencyError } from './errors.ts';

/** Reads the value of an option; throws `CONFIG_INVALID` if it is not what it must be. `of`: what the option belongs to. */
export type Parse<T> = (value: unknown, option: string, of: string) => T;

/** How each option is read. */
export type Table = Readonly<Record<string, Parse<unknown>>>;

export type Parsed<T extends Table> = { readonly [Name in keyof T]?: ReturnType<T[Name]> | undefined };

/** Reads options by their table; throws `CONFIG_INVALID` for unknown ones. An undefined option counts as absent. */
export function parsed<T extends Table>(of: string, options: object, table: T): Parsed<T> {
  if (typeof options !== 'object' || options === null) throw invalid(`${of} expects an object of options`);
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(table, name));
  if (unknown) throw invalid(`${of} has no option \`${unknown}\`; it has ${Object.keys(table).join(', ')}`);
  const entries = Object.entries(table).map(([name, parse]) => {
    const value = (options as Record<string, unknown>)[name];
    return [name, value === undefined ? undefined : parse(value, name, of)];
  });
  return Object.fromEntries(entries);
}

/** Takes a value that satisfies `check`. `expected`: its description for the error. */
export function that<T>(check: (value: unknown) => boolean, expected: string): Parse<T> {
  return (value, option, of) => {
    if (check(value)) return value as T;
    throw invalid(`\`${option}\` of ${of} must be ${expected}`);
  };
}

/** Takes a value as it is given: it is judged when it is used. */
export function asGiven<T>(value: unknown): T {
  return value as T;
}

/** In ms. */
export const duration: Parse<number> = (value, option) => durationOf(option, value as Duration);

/** In ms, above 0. */
export const positiveDuration: Parse<number> = (value, option, of) => {
  const ms = duration(value, option, of);
  if (ms > 0) return ms;
  throw invalid(`\`${option}\` must be longer than 0`);
};

export const count = that<number>((value) => Number.isInteger(value) && Number(value) > 0, 'a whole number above 0');

export const flag = that<boolean>((value) => typeof value === 'boolean', 'true or false');

export function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/** Throws `CONFIG_INVALID` for a handler that is no function. */
export function checkHandler(of: string, handler: unknown): void {
  if (!isFunction(handler)) throw invalid(`${of} expects a function to wrap`);
}

function invalid(message: string): IdempotencyError {
  return new IdempotencyError('CONFIG_INVALID', message);
}
