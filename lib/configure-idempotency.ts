import { Annotations, Aspects, type CfnResource, Duration, Tokenization } from 'aws-cdk-lib';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { ENVIRONMENT } from '../src/environment.ts';
import { functionFacts, tableFacts, tableResource } from './facts.ts';
import { checkScope, grantIdempotency, nameFor, warnOfOwner } from './grant-idempotency.ts';
import { mappingFindings } from './mapping-findings.ts';
import { checkPresent, checkTable, TABLE } from './present.ts';
import { FUNCTION_RULES, type FunctionFacts } from './rules/function.ts';
import { LAMBDA_TIMEOUT_S, variablesOf } from './rules/properties.ts';
import { broken, expectKept, type Finding } from './rules/rule.ts';
import { TABLE_RULES } from './rules/table.ts';
import { isResource, resolved, templateOf, textOf } from './template.ts';

export interface ConfigureIdempotencyOptions {
  /** The table of idempotency records. */
  readonly table: dynamodb.ITable;
  /** Name of the operation, the namespace of its keys. */
  readonly scope: string;
  /**
   * Other scopes that the code names, for `runOnce`. With `scope`, the function may read and write the records of these alone.
   * @default - none
   */
  readonly scopes?: readonly string[];
  /**
   * How long an outcome is kept, and the least that the code may ask for.
   * @default Duration.hours(24)
   */
  readonly retention?: Duration;
}

/**
 * Makes a function that exists an idempotent one: its environment, its grant, and checks. It throws for what cannot work, and fails
 * synthesis if what it has set is overwritten later, or an event source of the function would lose messages or repeat what was done. It
 * warns of what the constructs would not allow, such as a `maxReceiveCount` of 3: acknowledge such a warning where it is right.
 *
 * @example
 * configureIdempotency(existing, { table, scope: 'charge' });
 */
export function configureIdempotency(fn: lambda.Function, options: ConfigureIdempotencyOptions): void {
  checkPresent(options, { table: TABLE, scope: 'the name of the operation' });
  configure(fn, options, ({ isAdvice }) => !isAdvice);
  Aspects.of(fn).add({ visit: (node) => node === fn && warn(fn) });
}

/** Of what other mappings in the app do, which are known when the tree is complete. */
function warn(fn: lambda.Function): void {
  const advice = mappingFindings(fn).filter(({ isAdvice }) => isAdvice);
  for (const { rule, text } of advice) Annotations.of(fn).addWarningV2(`effectively-once:${rule}`, text);
}

export interface Settings extends Omit<ConfigureIdempotencyOptions, 'scope'> {
  readonly scope?: string;
}

const CONFIGURED = new WeakMap<lambda.Function, readonly string[]>();

/** The scopes of a function, its own first. Throws if it is none of ours. */
export function scopesOf(fn: lambda.Function): readonly string[] {
  const known = CONFIGURED.get(fn);
  if (known) return known;
  throw new Error(
    `${fn.node.path} is not idempotent; expected an IdempotentFunction, or one that \`configureIdempotency\` has been called with`,
  );
}

/** {@link configureIdempotency}, also for a function whose scope is its name. `fails`: which findings fail synthesis. */
export function configure(
  fn: lambda.Function,
  settings: Settings,
  fails: (finding: Finding) => boolean = () => true,
): void {
  const { table, scope, scopes = [], retention = Duration.hours(24) } = settings;
  const resource = resourceOf(fn);
  checkTable(table);
  check(resource, { ...settings, retention });
  const variables: Variables = {
    [ENVIRONMENT.table]: nameFor(table, fn),
    ...(scope !== undefined && { [ENVIRONMENT.scope]: scope }),
    [ENVIRONMENT.retention]: inSeconds(retention),
    [ENVIRONMENT.functionTimeout]: inSeconds(fn.timeout ?? Duration.seconds(LAMBDA_TIMEOUT_S)),
  };
  const clash = changes(resource, variables).find(({ got }) => got !== undefined);
  if (clash) throw new Error(clash.text);
  for (const [name, value] of Object.entries(variables)) fn.addEnvironment(name, value);
  grantIdempotency(table, fn, scope === undefined ? {} : { scopes: [scope, ...scopes] });
  warnOfOwner(table, fn);
  CONFIGURED.set(fn, [scope ?? fn.functionName, ...scopes]);
  const findings = (): Finding[] => [
    ...broken(FUNCTION_RULES, functionFacts(resource)),
    ...mappingFindings(fn),
    ...tableFindings(table),
  ];
  fn.node.addValidation({
    validate: () => [...changes(resource, variables), ...findings().filter(fails)].map(({ text }) => text),
  });
}

/** Throws for what only somebody without types can pass. */
function resourceOf(fn: lambda.Function): CfnResource {
  const resource = fn?.node.defaultChild;
  if (resource && isResource(resource, 'AWS::Lambda::Function')) return resource;
  throw new Error(
    `the function is ${fn?.node.path}; expected a lambda.Function that is made in this app, not one that is imported, an alias or a version`,
  );
}

/** Of a table that was changed after its grant. */
function tableFindings(table: dynamodb.ITable): Finding[] {
  const resource = tableResource(table);
  const findings = resource ? broken(TABLE_RULES, tableFacts(resource)) : [];
  return findings.map((finding) => ({ ...finding, text: `${table.node.path}: ${finding.text}` }));
}

function check(resource: CfnResource, { scope, scopes, retention }: Settings): void {
  if (scope !== undefined) checkScope('scope', scope);
  if (scope === undefined && scopes && scopes.length > 0) {
    throw new Error(
      '`scopes` is set without `scope`; expected both: otherwise its own name is its scope, which the grant would deny',
    );
  }
  const kept = retention?.isUnresolved() ? undefined : retention?.toSeconds();
  if (kept !== undefined && kept <= 0) throw new Error(`\`retention\` is ${kept}; expected more than 0 s`);
  const { runtime, maxEventAge } = functionFacts(resource);
  expectKept(FUNCTION_RULES, { runtime, retention: kept, maxEventAge } as FunctionFacts);
}

/** As the runtime reads it, also of a duration that is not known at synthesis. */
function inSeconds(duration: Duration): string {
  return `${Tokenization.stringifyNumber(duration.toSeconds())}s`;
}

type Variables = Readonly<Record<string, string>>;

/** Where the environment of a function is not what it must be. */
function changes(resource: CfnResource, variables: Variables): { readonly got: unknown; readonly text: string }[] {
  const present = variablesOf(templateOf(resource).Properties);
  return Object.entries(variables).flatMap(([name, value]) => {
    const got = present[name];
    const expected = textOf(resolved(resource, value));
    if (textOf(got) === expected) return [];
    return [{ got, text: `\`environment\` has ${name}: ${textOf(got)}; expected ${expected}, which a prop sets` }];
  });
}
