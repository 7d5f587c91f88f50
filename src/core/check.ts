import { IdempotencyError } from './errors.ts';

/** For each option: what it must satisfy, and that in words. */
export type Checks = Record<string, readonly [check: (value: unknown) => boolean, expected: string]>;

/** Refuses unknown and ill-typed options with `CONFIG_INVALID`. An option that is `undefined` counts as absent. */
export function checkOptions(of: string, options: object, checks: Checks): void {
  if (typeof options !== 'object' || options === null) throw invalid(`${of} expects an object of options`);
  for (const [name, value] of Object.entries(options)) {
    const known = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!known) throw invalid(`${of} has no option \`${name}\`; it has ${Object.keys(checks).join(', ')}`);
    const [check, expected] = known;
    if (value !== undefined && !check(value)) throw invalid(`\`${name}\` of ${of} must be ${expected}`);
  }
}

/** Refuses a handler that cannot be called. */
export function checkHandler(of: string, handler: unknown): void {
  if (typeof handler !== 'function') throw invalid(`${of} expects a function to wrap`);
}

function invalid(message: string): IdempotencyError {
  return new IdempotencyError('CONFIG_INVALID', message);
}
