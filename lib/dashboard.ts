import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { CODES, type IdempotencyErrorCode } from '../src/core/errors.ts';
import type { MetricName } from '../src/observe/metrics.ts';
import { scopesOf } from './configure-idempotency.ts';
import { functionOf, metricOf, type Watched } from './idempotency-metrics.ts';
import { latencyOf, OPERATIONS, throttled } from './table-metrics.ts';
import { type SourceMetrics, sourceMetricsOf } from './watched-sources.ts';

/** A scope of a function. */
interface Of {
  readonly fn: lambda.Function;
  readonly scope: string;
  readonly namespace: string;
}

/** The rows of the dashboard: what all functions did, each of their scopes, their sources, the table. */
export function widgetsOf(
  functions: readonly Watched[],
  table: dynamodb.ITable,
  namespace: string,
): cloudwatch.IWidget[][] {
  const all = functions.map(functionOf).flatMap((fn) => scopesOf(fn).map((scope): Of => ({ fn, scope, namespace })));
  // What functions share is one metric.
  const scopes = all.filter(({ scope }, index) => all.findIndex((other) => other.scope === scope) === index);
  const sources = functions.flatMap((watched) => sourceRow(watched.node.path, sourceMetricsOf(watched)));
  return [totals(scopes), ...scopes.map(scopeRow), ...sources, tableRow(table)];
}

const HEADLINES = { DuplicatesStopped: 'duplicates stopped', Runs: 'runs', Refusals: 'refusals', UnsureEnds: 'unsure' };

function totals(scopes: readonly Of[]): cloudwatch.IWidget[] {
  const metrics = (Object.entries(HEADLINES) as [MetricName, string][]).map(([name, label]) => {
    const of = scopes.map((scope, index) => [`${name.toLowerCase()}${index}`, metric(scope, name)]);
    return new cloudwatch.MathExpression({
      expression: `SUM([${of.map(([id]) => id).join(', ')}])`,
      usingMetrics: Object.fromEntries(of),
      label,
    });
  });
  return [
    new cloudwatch.SingleValueWidget({ title: 'All', metrics, setPeriodToTimeRange: true, width: 24, height: 4 }),
  ];
}

function metric({ fn, ...of }: Of, name: MetricName, options = {}): cloudwatch.Metric {
  return metricOf(fn, name, { label: name, ...of, ...options });
}

function scopeRow(of: Of): cloudwatch.IWidget[] {
  const all = (...names: MetricName[]) => names.map((name) => metric(of, name));
  const codes = Object.keys(CODES) as IdempotencyErrorCode[];
  const percentiles = ['p50', 'p99'].map((statistic) => metric(of, 'RunDuration', { statistic, label: statistic }));
  return [
    graph(`${of.scope}: runs and duplicates`, all('Runs', 'DuplicatesStopped', 'Takeovers', 'Adoptions')),
    graph(
      `${of.scope}: refusals`,
      codes.map((code) => metric(of, 'Refusals', { code, label: code })),
    ),
    graph(`${of.scope}: ends`, all('UnsureEnds', 'LostLeases', 'Releases', 'ExtensionFailures')),
    graph(`${of.scope}: run duration (ms)`, percentiles),
  ];
}

function sourceRow(path: string, source: SourceMetrics | undefined): cloudwatch.IWidget[][] {
  if (!source) return [];
  const { depth, age, iteratorAge, offsetLag, deadLetters } = source;
  const graphs: Record<string, cloudwatch.IMetric | undefined> = {
    'messages that wait': depth,
    'age of the oldest message (s)': age,
    'iterator age (ms)': iteratorAge,
    'offset lag': offsetLag,
    'dead letters': deadLetters,
  };
  const widgets = Object.entries(graphs).flatMap(([title, one]) => (one ? [graph(`${path}: ${title}`, [one], 8)] : []));
  return [widgets];
}

function tableRow(table: dynamodb.ITable): cloudwatch.IWidget[] {
  const latencies = OPERATIONS.map((operation) => latencyOf(table, operation));
  const throttles = [throttled(table, 'Write', { label: 'writes' }), throttled(table, 'Read', { label: 'reads' })];
  return [graph('Table: throttles', throttles, 12), graph('Table: latency p99 (ms)', latencies, 12)];
}

function graph(title: string, left: cloudwatch.IMetric[], width = 6): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({ title, left, width, leftYAxis: { min: 0, showUnits: false } });
}
