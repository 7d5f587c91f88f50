import { Duration, Names } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import { scopesOf } from './configure-idempotency.ts';
import { functionOf, metricOf, type Watched } from './idempotency-metrics.ts';
import { throttled } from './table-metrics.ts';
import { sourceMetricsOf } from './watched-sources.ts';

interface AlarmOptions {
  readonly functions: readonly Watched[];
  readonly table: dynamodb.ITable;
  readonly namespace: string;
  readonly maxIteratorAge?: Duration;
}

type Alarms = Readonly<Record<string, cloudwatch.AlarmProps>>;

/** The alarms, by the ids of their constructs. Missing data counts as good: what does not happen is not measured. */
export function alarmsOf({ functions, table, namespace, maxIteratorAge = Duration.hours(1) }: AlarmOptions): Alarms {
  const throttles = (['Write', 'Read'] as const).map((what) => [`${what}Throttles`, throttling(table, what)] as const);
  const known = new Set<string>();
  const each = functions.map((watched) => ({
    ...ofScopes(watched, namespace, known),
    ...ofSource(watched, maxIteratorAge),
  }));
  return Object.assign(Object.fromEntries(throttles), ...each);
}

/** Not at once: a table that grows throttles for a moment, and the store tries again. */
function throttling(table: dynamodb.ITable, what: 'Read' | 'Write'): cloudwatch.AlarmProps {
  const alarm = above(0, throttled(table, what), 'The table of idempotency records is throttled: look for a hot key.');
  return { ...alarm, evaluationPeriods: 3, datapointsToAlarm: 2 };
}

/** Of the scopes that are not `known`: functions that share one share its metrics. */
function ofScopes(watched: Watched, namespace: string, known: Set<string>): Alarms {
  const fn = functionOf(watched);
  const alarms = scopesOf(fn).map((scope, index) => {
    if (known.has(scope)) return {};
    known.add(scope);
    const of = `${Names.nodeUniqueId(watched.node)}${index || ''}`;
    const metric = (name: 'UnsureEnds' | 'ExtensionFailures') => metricOf(fn, name, { namespace, scope });
    const unsure = `Nobody knows whether the effect of a run in the scope ${scope} is on record: look for its record.`;
    const extension = `A lease in the scope ${scope} was not prolonged when it was due: DynamoDB does not answer, or late.`;
    return {
      [`${of}UnsureEnds`]: above(0, metric('UnsureEnds'), unsure),
      [`${of}ExtensionFailures`]: above(0, metric('ExtensionFailures'), extension),
    };
  });
  return Object.assign({}, ...alarms);
}

function ofSource(watched: Watched, maxIteratorAge: Duration): Alarms {
  const { deadLetters, iteratorAge } = sourceMetricsOf(watched) ?? {};
  const of = Names.nodeUniqueId(watched.node);
  const { path } = watched.node;
  return {
    ...(deadLetters && { [`${of}DeadLetters`]: above(0, deadLetters, `${path} has given up messages or records.`) }),
    ...(iteratorAge && {
      [`${of}IteratorAge`]: above(maxIteratorAge.toMilliseconds(), iteratorAge, `${path} is behind its stream.`),
    }),
  };
}

function above(threshold: number, metric: cloudwatch.IMetric, alarmDescription: string): cloudwatch.AlarmProps {
  return {
    metric,
    threshold,
    alarmDescription,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    evaluationPeriods: 1,
  };
}
