import { type Duration, durationOf } from '../../src/core/duration.ts';
import { DEFAULT_RETENTION_MS, ENVIRONMENT } from '../../src/environment.ts';
import type { FunctionFacts } from './function.ts';

/** Of a resource, as CloudFormation and the API of its service name them. */
export type Properties = Readonly<Record<string, any>>;

/** A number that is known; `byDefault` if there is none. */
export function numberIn(value: unknown, byDefault?: number): number | undefined {
  if (value === undefined) return byDefault;
  return typeof value === 'number' || /^\d+$/.test(String(value)) ? Number(value) : undefined;
}

/** The environment of a function. */
export function variablesOf(properties: Properties): Properties {
  return properties['Environment']?.Variables ?? {};
}

/** What Lambda gives a function that does not say. */
export const LAMBDA_TIMEOUT_S = 3;

/** `24h` of the environment; undefined: not known, or nonsense, which the runtime refuses. */
function secondsIn(value: unknown): number | undefined {
  const isDuration = typeof value === 'string' && /^\d+(ms|s|m|h|d)$/.test(value);
  return isDuration ? durationOf('environment', value as Duration) / 1_000 : undefined;
}

/** Seconds that an idempotent function keeps outcomes. */
export function retentionIn(properties: Properties): number | undefined {
  return secondsIn(variablesOf(properties)[ENVIRONMENT.retention] ?? `${DEFAULT_RETENTION_MS / 1_000}s`);
}

/** What is known of a function. */
export function functionFactsOf(properties: Properties): FunctionFacts {
  const { Runtime, Timeout } = properties;
  return {
    ...(typeof Runtime === 'string' && { runtime: Runtime }),
    ...known('timeout', numberIn(Timeout, LAMBDA_TIMEOUT_S)),
    ...known('functionTimeout', secondsIn(variablesOf(properties)[ENVIRONMENT.functionTimeout])),
    ...known('retention', retentionIn(properties)),
  };
}

function known(name: string, value: number | undefined): object {
  return value === undefined ? {} : { [name]: value };
}
