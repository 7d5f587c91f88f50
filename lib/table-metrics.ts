import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';

const metricOf = (table: dynamodb.ITable, metricName: string, options: cloudwatch.MetricOptions, more = {}) =>
  new cloudwatch.Metric({
    ...options,
    namespace: 'AWS/DynamoDB',
    metricName,
    dimensionsMap: { TableName: table.tableName, ...more },
  });

/** Reads, or writes, of a table that were throttled: by any operation, also in a batch or a transaction. */
export function throttled(
  table: dynamodb.ITable,
  what: 'Read' | 'Write',
  options: cloudwatch.MetricOptions = {},
): cloudwatch.Metric {
  return metricOf(table, `${what}ThrottleEvents`, { statistic: 'Sum', ...options });
}

/** What the store asks of a table, as CloudWatch names it. */
export const OPERATIONS = [
  'PutItem',
  'UpdateItem',
  'BatchExecuteStatement',
  'TransactWriteItems',
  'BatchGetItem',
] as const;

export type TableOperation = (typeof OPERATIONS)[number];

/** How long DynamoDB takes for an operation, in ms; p99 by default. */
export function latencyOf(
  table: dynamodb.ITable,
  operation: TableOperation,
  options: cloudwatch.MetricOptions = {},
): cloudwatch.Metric {
  return metricOf(
    table,
    'SuccessfulRequestLatency',
    { statistic: 'p99', label: operation, ...options },
    { Operation: operation },
  );
}
