import { CfnParameter, Annotations as CoreAnnotations, Duration, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { type ConfigureIdempotencyOptions, configureIdempotency, IdempotencyTable } from 'effectively-once/cdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { ENVIRONMENT } from '../../src/environment.ts';
import { ACTIONS } from '../../src/stores/dynamodb/item.ts';
import { testApp } from './assemblies.ts';

let app: ReturnType<typeof testApp>;
let stack: Stack;
let table: IdempotencyTable;
beforeEach(() => {
  app = testApp();
  stack = new Stack(app, 'Stack');
  table = new IdempotencyTable(stack, 'Table');
});

const existing = (props: Partial<lambda.FunctionProps> = {}, id = 'Existing') =>
  new lambda.Function(stack, id, {
    code: lambda.Code.fromInline(' '),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_22_X,
    ...props,
  });
const configured = (props: Partial<lambda.FunctionProps> = {}, options: Partial<ConfigureIdempotencyOptions> = {}) => {
  const fn = existing(props);
  configureIdempotency(fn, { table, scope: 'charge', ...options });
  return fn;
};
const variables = (expected: object) =>
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: Match.objectLike(expected) },
  });

describe('configureIdempotency', () => {
  it('gives a function that exists what the constructs give theirs', () => {
    configured(
      { timeout: Duration.seconds(20), environment: { MINE: 'too' } },
      { scopes: ['refund'], retention: Duration.days(2) },
    );
    variables({
      [ENVIRONMENT.table]: { Ref: Match.stringLikeRegexp('^Table') },
      [ENVIRONMENT.scope]: 'charge',
      [ENVIRONMENT.retention]: '172800s',
      [ENVIRONMENT.functionTimeout]: '20s',
      MINE: 'too',
    });
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Action: [...ACTIONS],
            Condition: Match.objectLike({
              'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['charge#*', 'refund#*'] },
            }),
          }),
        ],
      },
    });
  });

  it("knows Lambda's own timeout, and keeps outcomes for a day", () => {
    configured();
    variables({ [ENVIRONMENT.functionTimeout]: '3s', [ENVIRONMENT.retention]: '86400s' });
  });

  it('takes a function of an image, whose runtime nobody knows', () => {
    const fn = new lambda.DockerImageFunction(stack, 'Image', {
      code: lambda.DockerImageCode.fromEcr(Repository.fromRepositoryName(stack, 'Repository', 'images')),
    });
    expect(() => configureIdempotency(fn, { table, scope: 'charge' })).not.toThrow();
  });

  it('may be called twice for the same', () => {
    const fn = configured();
    expect(() => configureIdempotency(fn, { table, scope: 'charge' })).not.toThrow();
  });

  it.each<[string, Partial<lambda.FunctionProps>, Partial<ConfigureIdempotencyOptions>, RegExp]>([
    [
      'a retention that it has already',
      { environment: { [ENVIRONMENT.retention]: '7d' } },
      {},
      /`environment` has IDEMPOTENCY_RETENTION: "7d"; expected "86400s"/,
    ],
    [
      'another table in its environment',
      { environment: { [ENVIRONMENT.table]: 'theirs' } },
      {},
      /`environment` has IDEMPOTENCY_TABLE: "theirs"; expected/,
    ],
    ['another language', { runtime: lambda.Runtime.PYTHON_3_13 }, {}, /`runtime` is python3.13; expected nodejs22.x/],
    ['an old Node', { runtime: lambda.Runtime.NODEJS_20_X }, {}, /`runtime` is nodejs20.x; expected nodejs22.x/],
    ['no scope', {}, { scope: '' }, /`scope` is ""/],
    ['no retention', {}, { retention: Duration.seconds(0) }, /`retention` is 0; expected more than 0 s/],
  ])('fails on %s', (_, props, options, message) => {
    expect(() => configured(props, options)).toThrow(message);
  });

  it.each<[string, (fn: lambda.Function, eventSourceArn: string) => unknown]>([
    ['by itself', (target, eventSourceArn) => new lambda.EventSourceMapping(stack, 'M', { target, eventSourceArn })],
    [
      'of an alias elsewhere',
      (fn, eventSourceArn) => {
        const target = new lambda.Alias(stack, 'Live', { aliasName: 'live', version: fn.currentVersion });
        return new lambda.EventSourceMapping(stack, 'M', { target, eventSourceArn });
      },
    ],
    [
      'in the words of CloudFormation',
      ({ functionName }, eventSourceArn) =>
        new lambda.CfnEventSourceMapping(stack, 'M', { functionName, eventSourceArn }),
    ],
  ])('fails synthesis for an event source that stands %s', (_, add) => {
    add(configured(), new sqs.Queue(stack, 'Q').queueArn);
    expect(() => Template.fromStack(stack)).toThrow(/`reportBatchItemFailures` is false/);
  });

  it('fails synthesis if an event source breaks a rule of the constructs', () => {
    configured().addEventSource(new SqsEventSource(new sqs.Queue(stack, 'Queue')));
    expect(() => app.synth()).toThrow(/`reportBatchItemFailures` is false/);
  });

  describe('keeps outcomes as long as Lambda may try an asynchronous event again', () => {
    const AGE = { maxEventAge: Duration.hours(2) };
    const elsewhere = () => new Stack(app, 'Elsewhere');
    const TOO_SHORT = /`retention` is 3600; expected at least 7200s, `maxEventAge`/;
    const forAnHour = (props: Partial<lambda.FunctionProps> = {}) =>
      configured(props, { retention: Duration.hours(1) });

    it('which a function that exists has said', () => {
      expect(() => forAnHour(AGE)).toThrow(TOO_SHORT);
    });

    it.each<[string, (fn: lambda.Function) => unknown]>([
      ['later', (fn) => fn.configureAsyncInvoke(AGE)],
      ['for an alias', (fn) => fn.addAlias('live', AGE)],
      ['for an alias, later', (fn) => fn.addAlias('live').configureAsyncInvoke(AGE)],
      ['elsewhere', (fn) => new lambda.EventInvokeConfig(elsewhere(), 'Config', { function: fn, ...AGE })],
      [
        'in the words of CloudFormation',
        ({ functionName }) =>
          new lambda.CfnEventInvokeConfig(stack, 'Config', {
            functionName,
            qualifier: '$LATEST',
            maximumEventAgeInSeconds: 7_200,
          }),
      ],
      [
        'twice: the longest counts',
        (fn) => {
          fn.configureAsyncInvoke({ maxEventAge: Duration.minutes(1) });
          fn.addAlias('live', AGE);
        },
      ],
    ])('which is said %s', (_, say) => {
      say(forAnHour());
      expect(() => app.synth()).toThrow(TOO_SHORT);
    });

    it('six hours, if what is said of asynchronous events does not say so', () => {
      forAnHour().configureAsyncInvoke({ retryAttempts: 0 });
      expect(() => app.synth()).toThrow(/`retention` is 3600; expected at least 21600s/);
    });

    it.each<[string, (fn: lambda.Function) => unknown]>([
      ['nothing is said', () => {}],
      ['it is no longer', (fn) => fn.configureAsyncInvoke({ maxEventAge: Duration.hours(1) })],
      [
        'it is only known at deployment',
        (fn) => {
          const parameter = new CfnParameter(stack, 'Age', { type: 'Number' }).valueAsNumber;
          fn.configureAsyncInvoke({ maxEventAge: Duration.seconds(parameter) });
        },
      ],
      [
        'it is said of another function',
        () => new lambda.EventInvokeConfig(stack, 'C', { function: existing({}, 'Other'), ...AGE }),
      ],
    ])('and does not fail where %s', (_, say) => {
      say(forAnHour());
      expect(() => app.synth()).not.toThrow();
    });
  });

  describe('warns where an event source may have its reasons', () => {
    const early = () => {
      const fn = configured({}, { retention: Duration.days(28) });
      const deadLetterQueue = { queue: new sqs.Queue(stack, 'Dead'), maxReceiveCount: 3 };
      const queue = new sqs.Queue(stack, 'Queue', { deadLetterQueue });
      fn.addEventSource(new SqsEventSource(queue, { reportBatchItemFailures: true }));
      return fn;
    };
    const warnings = () => Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('maxReceiveCount'));

    it('and does not fail', () => {
      early();
      expect(() => app.synth()).not.toThrow();
      expect(warnings()).toHaveLength(1);
    });

    it('until that is acknowledged', () => {
      CoreAnnotations.of(early()).acknowledgeWarning('effectively-once:receive-count', 'two receives are enough');
      expect(warnings()).toEqual([]);
    });
  });
});
