import type { CfnResource } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import type { IdempotencyErrorCode } from '../src/core/errors.ts';
import { ENVIRONMENT } from '../src/environment.ts';
import { dimensionsOf, METRICS, type MetricName, NAMESPACE, refusalsWith } from '../src/observe/metrics.ts';
import { scopesOf } from './configure-idempotency.ts';
import { variablesOf } from './rules/properties.ts';
import { templateOf } from './template.ts';

export interface IdempotencyMetricOptions extends cloudwatch.MetricOptions {
  /**
   * The namespace that the function writes to.
   * @default - as its `IDEMPOTENCY_METRICS` says by now, otherwise 'EffectivelyOnce'
   */
  readonly namespace?: string;
  /**
   * One of the scopes of the function.
   * @default - its `scope`
   */
  readonly scope?: string;
  /**
   * The source of the events that are counted, for example `sqs`.
   * @default - all
   */
  readonly source?: string;
}

export interface RefusalsMetricOptions extends IdempotencyMetricOptions {
  /**
   * The code of the refusals that are counted.
   * @default - all
   */
  readonly code?: IdempotencyErrorCode;
}

/** The metrics of a function that writes them, see `IdempotencyMonitoring`. Over 5 minutes by default. */
export interface IdempotencyMetrics {
  /** Runs that have started. */
  metricRuns(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** How long runs take, in ms; p99 by default. */
  metricRunDuration(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** Duplicates that were answered from the record. */
  metricReplays(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** Arrivals that were refused. */
  metricRefusals(options?: RefusalsMetricOptions): cloudwatch.Metric;
  /** Replays and conflicts: what would have had its effect twice. */
  metricDuplicatesStopped(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** Runs of a key whose run before was never heard of again. */
  metricTakeovers(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** Runs that gave their key back. */
  metricReleases(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** Runs that answer with the outcome of another run of their key. */
  metricAdoptions(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** Runs that lost their key to another run, and have no outcome to adopt. */
  metricLostLeases(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** Runs of which nobody knows whether their effect is on record. */
  metricUnsureEnds(options?: IdempotencyMetricOptions): cloudwatch.Metric;
  /** Extensions of a lease that the store did not answer. */
  metricExtensionFailures(options?: IdempotencyMetricOptions): cloudwatch.Metric;
}

const METHODS = {
  metricRuns: 'Runs',
  metricRunDuration: 'RunDuration',
  metricReplays: 'Replays',
  metricRefusals: 'Refusals',
  metricDuplicatesStopped: 'DuplicatesStopped',
  metricTakeovers: 'Takeovers',
  metricReleases: 'Releases',
  metricAdoptions: 'Adoptions',
  metricLostLeases: 'LostLeases',
  metricUnsureEnds: 'UnsureEnds',
  metricExtensionFailures: 'ExtensionFailures',
} as const satisfies Record<keyof IdempotencyMetrics, MetricName>;

/** A function, or what has one. */
export type Watched = lambda.Function | (IConstruct & { readonly function: lambda.Function });

export const functionOf = (watched: Watched): lambda.Function =>
  watched instanceof lambda.Function ? watched : (watched.function ?? watched);

type Class = abstract new (...args: any[]) => object;

/** A class of functions, or of what has one, with {@link IdempotencyMetrics}. */
export function measured<T extends Class>(of: T): T & (abstract new (...args: any[]) => IdempotencyMetrics) {
  abstract class Measured extends of {}
  for (const [method, name] of Object.entries(METHODS)) {
    Object.defineProperty(Measured.prototype, method, {
      value(this: Watched, options?: IdempotencyMetricOptions) {
        return metricOf(functionOf(this), name, options);
      },
    });
  }
  return Measured as T & (abstract new (...args: any[]) => IdempotencyMetrics);
}

/** A metric of a function, by what its environment says by now. */
export function metricOf(
  fn: lambda.Function,
  name: MetricName,
  { namespace, scope, source, code, ...options }: RefusalsMetricOptions = {},
): cloudwatch.Metric {
  const [own = ''] = scopesOf(fn);
  const { Scope, Source } = dimensionsOf(scope ?? own, source ?? '');
  return new cloudwatch.Metric({
    statistic: METRICS[name] === 'Count' ? 'Sum' : 'p99',
    ...options,
    namespace: namespace ?? namespaceOf(fn),
    metricName: code ? refusalsWith(code) : name,
    dimensionsMap: source === undefined ? { Scope } : { Scope, Source },
  });
}

/** What the environment of a function says of metrics. */
export function metricsSetting(fn: lambda.Function): unknown {
  return variablesOf(templateOf(fn.node.defaultChild as CfnResource).Properties)[ENVIRONMENT.metrics];
}

function namespaceOf(fn: lambda.Function): string {
  const [, namespace] = /^emf:(.*)$/.exec(String(metricsSetting(fn))) ?? [];
  return namespace ?? NAMESPACE;
}
