import { type Duration, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { IdempotentFunction, type IdempotentFunctionProps } from './idempotent-function.ts';
import { checkPresent, TABLE } from './present.ts';

const ASYNC = 'it is for asynchronous invocations, which those of an event source are not';

/** Props of a function that mean something else, or nothing, where an event source invokes it. */
const NOT_INHERITED = {
  deadLetterQueue: ASYNC,
  deadLetterTopic: ASYNC,
  deadLetterQueueEnabled: ASYNC,
  maxEventAge: ASYNC,
  onSuccess: ASYNC,
  events: 'a consumer has the one source that it is fitted to',
} as const satisfies Partial<Record<keyof IdempotentFunctionProps, string>>;

type NotInherited = keyof typeof NOT_INHERITED | 'onFailure' | 'retryAttempts';

/** What all consumers take. */
export interface ConsumerProps extends Omit<IdempotentFunctionProps, NotInherited> {
  /**
   * Environments that are kept ready. The source then invokes an alias of the current version.
   * @default - none
   */
  readonly provisionedConcurrentExecutions?: number;
  /**
   * Name of the alias that the source invokes.
   * @default - `live` if `provisionedConcurrentExecutions` is set, otherwise there is no alias
   */
  readonly aliasName?: string;
}

/** What no prop may change; `undefined`: not to be set at all. */
const FIXED = { reportBatchItemFailures: true, bisectBatchOnError: true, tumblingWindow: undefined };

type Named = Readonly<Record<string, string>>;

/**
 * Throws for what only somebody without types can pass, or leave out. `required`: what this consumer asks for; `more`: what else it
 * does not take, and why.
 */
export function checkProps(props: object, required: Named, more: Named = {}): void {
  checkPresent(props, { table: TABLE, ...required });
  const given = props as Readonly<Record<string, unknown>>;
  for (const [name, why] of Object.entries({ ...NOT_INHERITED, ...more })) {
    if (given[name] !== undefined) throw new Error(`\`${name}\` is ${said(given[name])}; expected none: ${why}`);
  }
  for (const [name, value] of Object.entries(FIXED)) {
    const got = given[name];
    if (got !== undefined && got !== value) throw new Error(`\`${name}\` is ${said(got)}; expected ${value ?? 'none'}`);
  }
}

/** Of a queue, in which a message is retried by its receives. */
export const ASYNC_RETRIES = { onFailure: ASYNC, retryAttempts: ASYNC };

const said = (value: unknown): string => (typeof value === 'object' ? 'set' : String(value));

/** A function, and what of it a source invokes. */
export interface Consumer {
  readonly function: IdempotentFunction;
  readonly alias?: lambda.Alias;
}

type FunctionProps = IdempotentFunctionProps & Pick<ConsumerProps, 'provisionedConcurrentExecutions' | 'aliasName'>;

export function consumerOf(parent: Construct, props: FunctionProps): Consumer {
  const { provisionedConcurrentExecutions, aliasName, ...functionProps } = props;
  const made = new IdempotentFunction(parent, 'Function', functionProps);
  if (aliasName === undefined && provisionedConcurrentExecutions === undefined) return { function: made };
  return { function: made, alias: made.addAlias(aliasName ?? 'live', { provisionedConcurrentExecutions }) };
}

/** Adds an event source, and gives the mapping that CDK makes of it. */
export function mapped(consumer: Consumer, source: lambda.IEventSource): lambda.EventSourceMapping {
  const target = consumer.alias ?? consumer.function;
  target.addEventSource(source);
  const mapping = target.node.children.find((child) => child instanceof lambda.EventSourceMapping);
  if (!mapping) throw new Error(`the event source of ${target.node.path} has made no mapping; expected one`);
  return mapping;
}

export function secondsOf(name: string, duration: Duration): number {
  if (duration.isUnresolved()) throw new Error(unknown(name));
  return duration.toSeconds();
}

export function known(name: string, value: number | undefined): number | undefined {
  if (Token.isUnresolved(value)) throw new Error(unknown(name));
  return value;
}

function unknown(name: string): string {
  return `\`${name}\` is not known at synthesis; expected a value that is: source, function and records are fitted to it`;
}
