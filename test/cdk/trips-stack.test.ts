import { Aspects, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { IdempotencyAudit } from 'effectively-once/cdk';
import { beforeAll, describe, expect, it } from 'vitest';
import { TripsStack } from '../../lib/trips-stack.ts';
import { testApp } from '../engine.ts';

const kafka = { clusterArn: 'arn:aws:kafka:eu-central-1:000000000000:cluster/trips/1', topic: 'trips' };

describe('TripsStack', () => {
  let template: Template;
  beforeAll(() => {
    template = Template.fromStack(new TripsStack(testApp(), 'Trips', { kafka }));
  });

  it('has a consumer for Kinesis and one for Kafka, and one for the stream of the trips', () => {
    template.resourceCountIs('AWS::Lambda::Function', 3);
    template.resourceCountIs('AWS::Lambda::EventSourceMapping', 3);
    template.resourceCountIs('AWS::Kinesis::Stream', 1);
    template.resourceCountIs('AWS::DynamoDB::Table', 5);
  });

  it('has no Kafka where no cluster is given', () => {
    Template.fromStack(new TripsStack(testApp(), 'Trips')).resourceCountIs('AWS::Lambda::EventSourceMapping', 2);
  });

  it('hears of every record that failed, gives up in the end, and says so to a queue', () => {
    template.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRetryAttempts: Match.anyValue(),
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': [Match.stringLikeRegexp('OnFailure'), 'Arn'] } } },
    });
  });

  it('has pollers provisioned for Kafka, without which it hears of none, and tells the function so', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: kafka.clusterArn,
      Topics: [kafka.topic],
      ProvisionedPollerConfig: { MinimumPollers: 1 },
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Handler: 'index.fromKafka',
      Environment: { Variables: Match.objectLike({ IDEMPOTENCY_PARTIAL_FAILURES: 'true' }) },
    });
  });

  it('has both consumers work on one operation, so that an event over both is one', () => {
    const scopes = Object.values(template.findResources('AWS::Lambda::Function')).map(({ Properties }) => [
      Properties.Handler,
      Properties.Environment.Variables.IDEMPOTENCY_SCOPE,
    ]);
    expect(Object.fromEntries(scopes)).toEqual({
      'index.fromKinesis': 'record-trip',
      'index.fromKafka': 'record-trip',
      'index.handler': 'tally-trips',
    });
  });

  it('passes the audit', () => {
    const stack = new TripsStack(testApp(), 'Trips', { kafka });
    Aspects.of(stack).add(new IdempotencyAudit());
    const annotations = Annotations.fromStack(stack);
    const found = [...annotations.findWarning('*', Match.anyValue()), ...annotations.findError('*', Match.anyValue())];
    expect(found.map(({ entry }) => String(entry.data))).toEqual([]);
  });

  it('passes the AwsSolutions pack of cdk-nag; what it acknowledges carries its reason', () => {
    const app = testApp();
    new TripsStack(app, 'Trips', { kafka });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });
});
