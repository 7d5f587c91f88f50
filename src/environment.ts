import { positiveDuration } from './core/check.ts';
import { IdempotencyError } from './core/errors.ts';

/** The contract between constructs and runtime: constructs set these variables, the runtime reads them. */
export const ENVIRONMENT = {
  /** Name of the table. */
  table: 'IDEMPOTENCY_TABLE',
  /** Default of the option `scope`. */
  scope: 'IDEMPOTENCY_SCOPE',
  /** Default of the option `retention`, and its minimum: how long duplicates may come. */
  retention: 'IDEMPOTENCY_RETENTION',
  /** The function's own timeout: no claim is longer. Stands in for the deadline where the context says nothing of it. */
  functionTimeout: 'IDEMPOTENCY_FUNCTION_TIMEOUT',
  /** `true`: Lambda hears which records of Kafka have failed, as in provisioned mode. */
  partialFailures: 'IDEMPOTENCY_PARTIAL_FAILURES',
  /** `emf`, or `emf:<namespace>`: the metrics of `effectively-once/observe` are written to the log. */
  metrics: 'IDEMPOTENCY_METRICS',
} as const;

/** Ms an outcome is kept if neither an option nor the environment says. */
export const DEFAULT_RETENTION_MS = 24 * 60 * 60 * 1_000;

/**
 * Whether a text can be a scope: 1 to 255 printable characters, and none of `#`, `*`, `?`, `$`. The first ends the scope in a record's id,
 * and the others mean something in the IAM policy that binds a function to its scopes.
 */
export function isScope(text: unknown): boolean {
  return typeof text === 'string' && text.trim() !== '' && text.length <= 255 && !/[#*?$\p{Cc}\p{Cs}]/u.test(text);
}

/** What {@link isScope} asks for. */
export const SCOPE = 'a text of 1 to 255 printable characters, without # * ? $';

/**
 * Whether a text says which metrics are to be written: `emf`, or `emf:` and their namespace, as CloudWatch takes it. Those below `AWS/` are
 * its own.
 */
export function isMetrics(text: string): boolean {
  return /^emf(:(?!AWS\/)[\w./#-][\w./#: -]{0,254})?$/.test(text);
}

export const environment = {
  table: (): string => required(ENVIRONMENT.table, process.env[ENVIRONMENT.table], 'tableName'),
  scope: (): string => {
    const scope = process.env[ENVIRONMENT.scope] || process.env['AWS_LAMBDA_FUNCTION_NAME'];
    if (!scope || isScope(scope)) return required(ENVIRONMENT.scope, scope, 'scope');
    throw new IdempotencyError('CONFIG_INVALID', `${ENVIRONMENT.scope} of the environment must be ${SCOPE}`);
  },
  retention: (): number | undefined => durationIn(ENVIRONMENT.retention),
  functionTimeout: (): number | undefined => durationIn(ENVIRONMENT.functionTimeout),
  metrics: (): string | undefined => {
    const value = process.env[ENVIRONMENT.metrics];
    if (!value || isMetrics(value)) return value;
    throw new IdempotencyError(
      'CONFIG_INVALID',
      `${ENVIRONMENT.metrics} of the environment must be emf or emf:<namespace>`,
    );
  },
  hearsPartialFailures: (): boolean => process.env[ENVIRONMENT.partialFailures] === 'true',
};

function required(name: string, value: string | undefined, option: string): string {
  if (value) return value;
  throw new IdempotencyError('CONFIG_INVALID', `no ${option}: give the option \`${option}\` or set ${name}`);
}

function durationIn(name: string): number | undefined {
  const value = process.env[name];
  return value ? positiveDuration(value, name, 'the environment') : undefined;
}
