import { readFileSync } from 'node:fs';
import { Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import recommendedFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { AwsSolutionsChecks } from 'cdk-nag';
import { CORS_ALLOW_HEADERS, CORS_EXPOSE_HEADERS } from 'effectively-once/cdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OrdersStack } from '../../lib/orders-stack.ts';
import { ENVIRONMENT, environment } from '../../src/environment.ts';
import { testApp } from './assemblies.ts';

describe('OrdersStack', () => {
  let template: Template;
  beforeAll(() => {
    template = Template.fromStack(new OrdersStack(testApp(), 'Orders'));
  });

  it('has the API, the queue with its dead-letter queue, five functions and four tables', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: 'GET /' });
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: 'POST /orders' });
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: 'GET /orders/{id}' });
    template.resourceCountIs('AWS::Lambda::Function', 5);
    template.resourceCountIs('AWS::DynamoDB::Table', 4);
    template.resourceCountIs('AWS::SQS::Queue', 2);
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 2);
  });

  it('lets pages of other origins send a key, and read what a client looks at', () => {
    expect(CORS_ALLOW_HEADERS).toContain('Idempotency-Key');
    expect(CORS_EXPOSE_HEADERS).toEqual(expect.arrayContaining(['Idempotent-Replayed', 'Retry-After']));
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: { AllowHeaders: CORS_ALLOW_HEADERS, ExposeHeaders: CORS_EXPOSE_HEADERS },
    });
  });

  it('is monitored: a dashboard, and alarms that tell a topic', () => {
    template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
    const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm'));
    expect(alarms.map(({ Properties }) => Properties.MetricName).sort()).toEqual([
      'ApproximateNumberOfMessagesVisible',
      ...['ExtensionFailures', 'ExtensionFailures', 'ReadThrottleEvents', 'UnsureEnds', 'UnsureEnds'],
      'WriteThrottleEvents',
    ]);
    for (const { Properties } of alarms)
      expect(Properties.AlarmActions).toEqual([{ Ref: expect.stringMatching(/^Alarms/) }]);
  });

  it.each([
    ['ChargeOrder', ['PutItem', 'UpdateItem', 'BatchGetItem', 'PartiQLInsert', 'PartiQLUpdate']],
    ['PlaceOrder', ['PutItem', 'UpdateItem', 'BatchGetItem', 'PartiQLInsert', 'PartiQLUpdate']],
    ['RelayOrders', ['ListStreams', 'DescribeStream', 'GetRecords', 'GetShardIterator']],
    ['GetOrder', ['GetItem']],
    ['ShowShop', []],
  ])('lets %s do to tables just %j', (prefix, expected) => {
    const policies = Object.entries(template.findResources('AWS::IAM::Policy')).filter(([id]) => id.startsWith(prefix));
    const actions: string[] = policies.flatMap(([, { Properties }]) =>
      Properties.PolicyDocument.Statement.flatMap(({ Action }: { Action: string | string[] }) => Action),
    );
    const onTables = actions.filter((action) => action.startsWith('dynamodb:'));
    expect(new Set(onTables)).toEqual(new Set(expected.map((action) => `dynamodb:${action}`)));
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('passes the AwsSolutions pack of cdk-nag; what it acknowledges carries its reason', () => {
    const app = testApp();
    new OrdersStack(app, 'Orders');
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });

  it('is synthesized with the feature flags that its CDK recommends, and so without a word about them', () => {
    const { context } = JSON.parse(readFileSync('cdk.json', 'utf8'));
    expect(context).toMatchObject(recommendedFlags);
  });

  it('would not pass it with anything wrong', () => {
    const app = testApp();
    new sqs.Queue(new Stack(app, 'Careless'), 'Queue');
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).toThrow(/AwsSolutions-SQS/);
  });

  describe('tells each function what the runtime reads', () => {
    const before = { ...process.env };
    afterAll(() => {
      process.env = before;
    });

    it.each(['ChargeOrder', 'PlaceOrder'])('%s', (prefix) => {
      const functions = template.findResources('AWS::Lambda::Function');
      const [, { Properties }] = Object.entries(functions).find(([id]) => id.startsWith(prefix)) as [string, any];
      const variables = Properties.Environment.Variables;
      const { partialFailures, ...ofAll } = ENVIRONMENT; // the first is for consumers of Kafka
      expect(Object.keys(variables)).toEqual(expect.arrayContaining(Object.values(ofAll)));
      process.env = { ...variables, [ENVIRONMENT.table]: 'physical' };
      expect(environment.table()).toBe('physical');
      expect(environment.scope()).toBe(variables[ENVIRONMENT.scope]);
      expect(environment.functionTimeout()).toBe(Properties.Timeout * 1_000);
      expect(environment.retention()).toBeGreaterThanOrEqual(86_400_000);
    });
  });
});
