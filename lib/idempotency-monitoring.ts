import type { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ENVIRONMENT, isMetrics } from '../src/environment.ts';
import { NAMESPACE } from '../src/observe/metrics.ts';
import { alarmsOf } from './alarms.ts';
import { scopesOf } from './configure-idempotency.ts';
import { widgetsOf } from './dashboard.ts';
import { functionOf, metricsSetting, type Watched } from './idempotency-metrics.ts';
import { checkPresent, checkTable } from './present.ts';
import { textOf } from './template.ts';

export interface IdempotencyMonitoringProps {
  /** Functions, and consumers: pass a consumer itself, so that its source is watched, too. */
  readonly functions: readonly Watched[];
  /** The table of idempotency records. */
  readonly table: dynamodb.ITable;
  /**
   * Is told of each alarm. If it is encrypted with a key of your own, its policy must let CloudWatch use it.
   * @default - nobody is told
   */
  readonly topic?: sns.ITopic;
  /**
   * The namespace of the metrics in CloudWatch: one for each stage, if an account has several.
   * @default 'EffectivelyOnce'
   */
  readonly namespace?: string;
  /**
   * Name of the dashboard.
   * @default - generated
   */
  readonly dashboardName?: string;
  /**
   * How far a stream may be behind.
   * @default Duration.hours(1)
   */
  readonly maxIteratorAge?: Duration;
}

/**
 * A dashboard of what idempotency does in an app, and alarms for what somebody should look into. Turns the metrics on in the functions that it is
 * given, by their environment: no code changes.
 *
 * @example
 * new IdempotencyMonitoring(this, 'Monitoring', { table, functions: [placeOrder, chargeOrder], topic });
 */
export class IdempotencyMonitoring extends Construct {
  readonly dashboard: cloudwatch.Dashboard;
  /** Missing data counts as good: what does not happen is not measured. */
  readonly alarms: readonly cloudwatch.Alarm[];

  constructor(scope: Construct, id: string, props: IdempotencyMonitoringProps) {
    super(scope, id);
    checkPresent(props, { functions: 'functions and consumers' });
    checkTable(props.table);
    const { functions, table, topic, namespace = NAMESPACE, dashboardName } = props;
    if (functions.length === 0) throw new Error('`functions` is empty; expected at least one');
    if (!isMetrics(`emf:${namespace}`)) {
      throw new Error(
        `\`namespace\` is ${JSON.stringify(namespace)}; expected one that CloudWatch takes, not below AWS/`,
      );
    }
    for (const watched of functions) turnOn(functionOf(watched), namespace);
    this.dashboard = new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName,
      widgets: widgetsOf(functions, table, namespace),
    });
    this.alarms = Object.entries(alarmsOf({ ...props, namespace })).map(([id, alarm]) => {
      const made = new cloudwatch.Alarm(this, id, alarm);
      if (topic) made.addAlarmAction(new SnsAction(topic));
      return made;
    });
  }
}

function turnOn(fn: lambda.Function, namespace: string): void {
  scopesOf(fn); // throws for a function that would not hear it
  const wanted = namespace === NAMESPACE ? 'emf' : `emf:${namespace}`;
  const got = metricsSetting(fn);
  if (got !== undefined && got !== wanted) {
    throw new Error(
      `\`environment\` of ${fn.node.path} has ${ENVIRONMENT.metrics}: ${textOf(got)}; expected "${wanted}", or none`,
    );
  }
  fn.addEnvironment(ENVIRONMENT.metrics, wanted);
}
