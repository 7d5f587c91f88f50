import { fileURLToPath } from 'node:url';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  configureIdempotency,
  IdempotencyMonitoring,
  type IdempotencyMonitoringProps,
  IdempotencyTable,
  IdempotentFunction,
  IdempotentKafkaConsumer,
  IdempotentQueueConsumer,
  IdempotentStreamConsumer,
} from 'effectively-once/cdk';
import { METRICS } from 'effectively-once/observe';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { environment } from '../../src/environment.ts';
import { dimensionsOf } from '../../src/observe/metrics.ts';
import { testApp } from './assemblies.ts';
import { expectationsOf } from './expectations.ts';

/** The first template loads most of CDK, which takes its time. */
beforeAll(() => void Template.fromStack(new Stack(testApp(), 'First')), 60_000);

let app: ReturnType<typeof testApp>;
let stack: Stack;
let table: IdempotencyTable;
beforeEach(() => {
  app = testApp();
  stack = new Stack(app, 'Stack');
  table = new IdempotencyTable(stack, 'Table');
});
const { template, variablesHave } = expectationsOf(() => stack);

const entry = fileURLToPath(new URL('../../examples/readme/stream.ts', import.meta.url));
const MSK = { clusterArn: 'arn:aws:kafka:eu-west-1:000000000000:cluster/trips/0-1' };

const functionOf = (props: object = {}) =>
  new IdempotentFunction(stack, 'Place', { entry, table, scope: 'place-order', ...props });
const queueConsumer = (props: object = {}) =>
  new IdempotentQueueConsumer(stack, 'Charge', { entry, table, scope: 'charge-order', ...props });
const streamConsumer = (props: object = {}) => {
  const stream = new kinesis.Stream(stack, 'Stream');
  return new IdempotentStreamConsumer(stack, 'Trips', { entry, table, scope: 'trips', stream, ...props });
};
const kafkaConsumer = () =>
  new IdempotentKafkaConsumer(stack, 'Rides', { entry, table, scope: 'rides', cluster: MSK, topic: 'rides' });
const existing = (environment: Record<string, string> = {}) =>
  new lambda.Function(stack, 'Existing', {
    code: lambda.Code.fromInline('exports.handler = async () => {}'),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
    environment,
  });

const monitor = (functions: IdempotencyMonitoringProps['functions'], props: object = {}) =>
  new IdempotencyMonitoring(stack, 'Monitoring', { functions, table, ...props });

/** The properties of all alarms, by the id of their construct without that of the monitoring. */
const alarms = () =>
  Object.fromEntries(
    Object.entries(template().findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [
      id.replace(/^Monitoring/, '').replace(/[0-9A-F]{8}$/, ''),
      Properties,
    ]),
  );

it('a scope that functions share is counted once, and has one alarm of each kind', () => {
  const other = new IdempotentFunction(stack, 'Refund', { entry, table, scope: 'refund', scopes: ['place-order'] });
  monitor([functionOf(), other]);
  const unsure = Object.values(alarms()).filter(({ MetricName }) => MetricName === 'UnsureEnds');
  expect(unsure).toHaveLength(2);
  const [dashboard] = Object.values(template().findResources('AWS::CloudWatch::Dashboard'));
  expect(JSON.stringify(dashboard)).toContain('SUM([runs0, runs1])');
});

describe('a function that is watched', () => {
  it('writes its metrics: its environment says so, as the runtime reads it', () => {
    monitor([functionOf()]);
    variablesHave({ IDEMPOTENCY_METRICS: 'emf' });
    process.env['IDEMPOTENCY_METRICS'] = 'emf';
    expect(environment.metrics()).toBe('emf');
    delete process.env['IDEMPOTENCY_METRICS'];
  });

  it('may be that of a consumer, or one that exists, and writes to a namespace of your own', () => {
    const fn = existing();
    configureIdempotency(fn, { table, scope: 'existing' });
    monitor([queueConsumer(), fn], { namespace: 'Shop/prod' });
    const functions = Object.values(template().findResources('AWS::Lambda::Function'));
    const variables = functions.map(({ Properties }) => Properties.Environment.Variables.IDEMPOTENCY_METRICS);
    expect(variables).toEqual(['emf:Shop/prod', 'emf:Shop/prod']);
    expect(JSON.stringify(alarms())).not.toContain('EffectivelyOnce');
  });

  it('must be an idempotent one', () => {
    expect(() => monitor([existing()])).toThrow(
      'Stack/Existing is not idempotent; expected an IdempotentFunction, or one that `configureIdempotency` has been called with',
    );
  });

  it('cannot write to two namespaces', () => {
    const fn = functionOf({ environment: { IDEMPOTENCY_METRICS: 'emf:Other' } });
    expect(() => monitor([fn])).toThrow(
      '`environment` of Stack/Place has IDEMPOTENCY_METRICS: "emf:Other"; expected "emf", or none',
    );
  });

  it('may say itself to which it writes', () => {
    expect(() =>
      monitor([functionOf({ environment: { IDEMPOTENCY_METRICS: 'emf:Other' } })], { namespace: 'Other' }),
    ).not.toThrow();
  });

  it('can be watched twice', () => {
    const fn = functionOf();
    monitor([fn]);
    expect(() => new IdempotencyMonitoring(stack, 'Another', { functions: [fn], table })).not.toThrow();
  });

  it.each(['AWS/Lambda', ':shop', '', 'Bücher'])('cannot write to the namespace %j', (namespace) => {
    expect(() => monitor([functionOf()], { namespace })).toThrow(/`namespace` is .*; expected/);
  });

  it.each(['on', 'emf:AWS/Shop'])(
    'is not built with IDEMPOTENCY_METRICS=%s, which its runtime would refuse',
    (value) => {
      expect(() => functionOf({ environment: { IDEMPOTENCY_METRICS: value } })).toThrow(
        /`environment` has IDEMPOTENCY_METRICS: .*; expected emf or emf:<namespace>/,
      );
    },
  );

  it('is needed', () => {
    expect(() => monitor([])).toThrow('`functions` is empty; expected at least one');
  });
});

describe('the alarms', () => {
  const all = () => {
    const topic = new sns.Topic(stack, 'Topic');
    monitor([functionOf({ scopes: ['refund'] }), queueConsumer(), streamConsumer(), kafkaConsumer()], { topic });
    return alarms();
  };

  it('are about unsure ends, extensions, dead letters, iterator age and throttles, and none else', () => {
    expect(
      Object.keys(all())
        .map((id) => id.replace(/^Stack([A-Z][a-z]+)[0-9A-F]{8}/, '$1 '))
        .sort(),
    ).toEqual([
      ...['Charge DeadLetters', 'Charge ExtensionFailures', 'Charge UnsureEnds'],
      ...['Place 1ExtensionFailures', 'Place 1UnsureEnds', 'Place ExtensionFailures', 'Place UnsureEnds'],
      'ReadThrottles',
      ...['Rides DeadLetters', 'Rides ExtensionFailures', 'Rides UnsureEnds'],
      ...['Trips DeadLetters', 'Trips ExtensionFailures', 'Trips IteratorAge', 'Trips UnsureEnds'],
      'WriteThrottles',
    ]);
  });

  it('tell the topic, and take missing data for good', () => {
    for (const alarm of Object.values(all())) {
      expect(alarm).toMatchObject({
        AlarmActions: [{ Ref: expect.stringMatching(/^Topic/) }],
        TreatMissingData: 'notBreaching',
        ComparisonOperator: 'GreaterThanThreshold',
        AlarmDescription: expect.any(String),
      });
    }
  });

  it('tell nobody without a topic', () => {
    monitor([functionOf()]);
    for (const alarm of Object.values(alarms())) expect(alarm).not.toHaveProperty('AlarmActions');
  });

  it('are about metrics that the runtime writes: of each scope, by the name and the dimensions that it uses', () => {
    const { namespace, scopes } = { namespace: 'EffectivelyOnce', scopes: ['place-order', 'refund'] };
    const unsure = Object.entries(all()).filter(([id]) => id.startsWith('StackPlace') && id.endsWith('UnsureEnds'));
    expect(
      unsure.map(([, { Namespace, MetricName, Dimensions, Statistic, Threshold }]) => ({
        Namespace,
        MetricName,
        Dimensions,
        Statistic,
        Threshold,
      })),
    ).toEqual(
      scopes.map((scope) => ({
        Namespace: namespace,
        MetricName: 'UnsureEnds',
        Dimensions: [{ Name: 'Scope', Value: dimensionsOf(scope, '').Scope }],
        Statistic: 'Sum',
        Threshold: 0,
      })),
    );
  });

  it.each(['Read', 'Write'])('are about the table by whatever operation it was throttled: %s', (what) => {
    expect(all()[`${what}Throttles`]).toMatchObject({
      Namespace: 'AWS/DynamoDB',
      MetricName: `${what}ThrottleEvents`,
      Dimensions: [{ Name: 'TableName', Value: { Ref: expect.stringMatching(/^Table/) } }],
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
    });
  });

  it('let a stream be behind as long as you say', () => {
    monitor([streamConsumer()], { maxIteratorAge: Duration.minutes(5) });
    const [age] = Object.entries(alarms()).flatMap(([id, alarm]) => (id.endsWith('IteratorAge') ? [alarm] : []));
    expect(age).toMatchObject({
      Threshold: 300_000,
      MetricName: 'IteratorAge',
      Namespace: 'AWS/Lambda',
      Statistic: 'Maximum',
    });
  });

  it('are not about dead letters that go where only you know', () => {
    const onFailure = new SqsDlq(new sqs.Queue(stack, 'Mine'));
    const queue = sqs.Queue.fromQueueArn(stack, 'Theirs', 'arn:aws:sqs:eu-west-1:000000000000:theirs');
    monitor([streamConsumer({ onFailure }), queueConsumer({ queue })]);
    expect(Object.keys(alarms()).filter((id) => id.endsWith('DeadLetters'))).toEqual([]);
  });
});

describe('the dashboard', () => {
  const widgets = (): any[] => {
    const [dashboard] = Object.values(template().findResources('AWS::CloudWatch::Dashboard'));
    const body = dashboard?.['Properties'].DashboardBody;
    const text =
      typeof body === 'string'
        ? body
        : body['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : 'x')).join('');
    return JSON.parse(text).widgets;
  };

  it('shows what all did, each scope, each source, and the table', () => {
    monitor([functionOf(), queueConsumer(), streamConsumer(), kafkaConsumer()]);
    const titles = widgets().map(({ properties }) => properties.title);
    const rowOf = (scope: string) =>
      ['runs and duplicates', 'refusals', 'ends', 'run duration (ms)'].map((title) => `${scope}: ${title}`);
    expect(titles).toEqual([
      'All',
      ...['place-order', 'charge-order', 'trips', 'rides'].flatMap(rowOf),
      ...['messages that wait', 'age of the oldest message (s)', 'dead letters'].map(
        (title) => `Stack/Charge: ${title}`,
      ),
      ...['iterator age (ms)', 'dead letters'].map((title) => `Stack/Trips: ${title}`),
      ...['offset lag', 'dead letters'].map((title) => `Stack/Rides: ${title}`),
      'Table: throttles',
      'Table: latency p99 (ms)',
    ]);
  });

  it('shows no metric that the runtime does not write', () => {
    monitor([functionOf()]);
    const shown = widgets()
      .flatMap(({ properties }) => properties.metrics)
      .filter(([of]) => of === 'EffectivelyOnce');
    const names = new Set(shown.map(([, name]) => name));
    expect(
      [...names].map((name) => name.replace(/^Refusals_[A-Z_]+$/, 'Refusals')).filter((name) => !(name in METRICS)),
    ).toEqual([]);
    expect([...names]).toEqual(
      expect.arrayContaining(['DuplicatesStopped', 'Runs', 'RunDuration', 'UnsureEnds', 'Refusals_CONFLICT']),
    );
    for (const [, , dimension, value] of shown) expect([dimension, value]).toEqual(['Scope', 'place-order']);
  });

  it('has a name of yours', () => {
    monitor([functionOf()], { dashboardName: 'shop' });
    template().hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: 'shop' });
  });
});

describe('the metrics', () => {
  it('of a function and of all consumers are those of the table, one method each', () => {
    const constructs = [functionOf(), queueConsumer(), streamConsumer(), kafkaConsumer()] as const;
    for (const construct of constructs) {
      for (const [name, unit] of Object.entries(METRICS)) {
        const metric = (construct as any)[`metric${name}`]();
        expect(metric).toMatchObject({
          namespace: 'EffectivelyOnce',
          metricName: name,
          statistic: unit === 'Count' ? 'Sum' : 'p99',
        });
        expect(Object.keys(metric.dimensions)).toEqual(['Scope']);
      }
    }
    expect(constructs.map((construct) => construct.metricRuns().dimensions?.['Scope'])).toEqual([
      ...['place-order', 'charge-order', 'trips', 'rides'],
    ]);
  });

  it('can be of another scope, one source, one code, and have options of their own', () => {
    const fn = functionOf({ environment: { IDEMPOTENCY_METRICS: 'emf:Shop' } });
    const period = Duration.minutes(1);
    expect(
      fn.metricRefusals({ scope: 'réfund', source: 'http', code: 'CONFLICT', period, statistic: 'max' }),
    ).toMatchObject({
      namespace: 'Shop',
      metricName: 'Refusals_CONFLICT',
      dimensions: { Scope: 'r%C3%A9fund', Source: 'http' },
      period,
      statistic: 'Maximum',
    });
    expect(fn.metricRuns({ namespace: 'Other' })).toMatchObject({ namespace: 'Other' });
  });

  it('of a function without a scope are those of its name', () => {
    const fn = new IdempotentFunction(stack, 'Nameless', { entry, table });
    expect(stack.resolve(fn.metricRuns().dimensions)).toEqual({ Scope: { Ref: expect.stringMatching(/^Nameless/) } });
  });

  it('of sources and of the table are those of AWS', () => {
    const [queue, stream, kafka] = [queueConsumer(), streamConsumer(), kafkaConsumer()];
    const named = (metric: object) => metric;
    expect(named(queue.metricQueueDepth())).toMatchObject({ metricName: 'ApproximateNumberOfMessagesVisible' });
    expect(named(queue.metricOldestMessageAge())).toMatchObject({ metricName: 'ApproximateAgeOfOldestMessage' });
    for (const consumer of [queue, stream, kafka]) {
      expect(consumer.metricDeadLetters()).toMatchObject({ metricName: 'ApproximateNumberOfMessagesVisible' });
    }
    expect(queue.metricDeadLetters().dimensions).not.toEqual(queue.metricQueueDepth().dimensions);
    expect(stream.metricIteratorAge()).toMatchObject({ namespace: 'AWS/Lambda', metricName: 'IteratorAge' });
    expect(kafka.metricOffsetLag()).toMatchObject({ namespace: 'AWS/Lambda', metricName: 'OffsetLag' });
    expect(table.metricReadThrottles()).toMatchObject({ metricName: 'ReadThrottleEvents', statistic: 'Sum' });
    expect(table.metricWriteThrottles()).toMatchObject({ metricName: 'WriteThrottleEvents', statistic: 'Sum' });
    expect(table.metricLatency('PutItem')).toMatchObject({
      metricName: 'SuccessfulRequestLatency',
      dimensions: { Operation: 'PutItem' },
      statistic: 'p99',
    });
  });

  it('of dead letters are not there if they go where only you know', () => {
    const onFailure = new SqsDlq(new sqs.Queue(stack, 'Mine'));
    expect(() => streamConsumer({ onFailure }).metricDeadLetters()).toThrow(/`onFailure` is set; expected/);
  });
});

it('passes the AwsSolutions pack of cdk-nag', () => {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const topic = new sns.Topic(stack, 'Topic', { enforceSSL: true });
  monitor([functionOf(), queueConsumer()], { topic });
  Validations.of(stack).acknowledge({
    id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
    reason: 'What CDK gives every function.',
  });
  expect(() => app.synth()).not.toThrow();
});
