import { fileURLToPath } from 'node:url';
import { Aws, CfnParameter, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import {
  grantOperate,
  IdempotencyTable,
  IdempotentFunction,
  type IdempotentFunctionProps,
  IdempotentQueueConsumer,
  type IdempotentQueueConsumerProps,
} from 'effectively-once/cdk';
import { beforeEach, describe, expect, it } from 'vitest';
import { recordId } from '../../src/core/identity.ts';
import { ENVIRONMENT } from '../../src/environment.ts';
import { ACTIONS, OPERATE_ACTIONS, PARTITION_KEY, TTL_ATTRIBUTE } from '../../src/stores/dynamodb/item.ts';
import { testApp } from './assemblies.ts';

let stack: Stack;
beforeEach(() => {
  // Not bundled: what is in the bundle is not what these tests are about.
  stack = new Stack(testApp(), 'Stack');
});
const template = () => Template.fromStack(stack);
const entry = fileURLToPath(new URL('../../examples/orders/charge-order.ts', import.meta.url));
const grantOf = (actions: unknown) => ({
  PolicyDocument: {
    Statement: Match.arrayWith([Match.objectLike({ Action: actions, Effect: 'Allow', Resource: Match.anyValue() })]),
  },
});

const boundTo = (...scopes: string[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': scopes.map((scope) => `${scope}#*`) },
  Null: { 'dynamodb:LeadingKeys': 'false' },
});

describe('IdempotencyTable', () => {
  it('is the table the runtime expects: one string key, TTL, on demand', () => {
    new IdempotencyTable(stack, 'Table');
    template().hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: PARTITION_KEY, KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: PARTITION_KEY, AttributeType: 'S' }],
      TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    });
  });

  it('is hard to lose: restorable, protected, retained', () => {
    new IdempotencyTable(stack, 'Table');
    template().hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      },
    });
  });

  it('goes with its stack when told to', () => {
    new IdempotencyTable(stack, 'Table', { removalPolicy: RemovalPolicy.DESTROY, tableName: 'mine' });
    template().hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Delete',
      Properties: { DeletionProtectionEnabled: false, TableName: 'mine' },
    });
  });

  it('grants what the store sends, on this table, and nothing else', () => {
    const table = new IdempotencyTable(stack, 'Table');
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    table.grantIdempotency(role);
    template().hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [{ Action: ACTIONS, Effect: 'Allow', Resource: stack.resolve(table.tableArn) }],
      },
    });
  });

  it.each([
    ['all that operators do', {}, [...OPERATE_ACTIONS.look, ...OPERATE_ACTIONS.decide]],
    ['looking alone', { readOnly: true }, OPERATE_ACTIONS.look],
  ])('grants %s, on this table and on one that is imported', (_, options, Action) => {
    const table = new IdempotencyTable(stack, 'Table');
    const imported = dynamodb.Table.fromTableName(stack, 'Imported', 'records');
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    table.grantOperate(role, options);
    grantOperate(imported, role, options);
    const Statement = [table, imported].map(({ tableArn }) => ({
      ...{ Action, Effect: 'Allow' },
      Resource: stack.resolve(tableArn),
    }));
    template().hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement } });
  });

  it('grants the records of named scopes alone', () => {
    const table = new IdempotencyTable(stack, 'Table');
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    table.grantIdempotency(role, { scopes: ['charge', 'refund'] });
    template().hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          {
            Action: ACTIONS,
            Effect: 'Allow',
            Resource: stack.resolve(table.tableArn),
            Condition: boundTo('charge', 'refund'),
          },
        ],
      },
    });
    expect(recordId('charge', [], undefined, 'k')).toMatch(/^charge#./);
  });

  it.each([[[]], [['charge', 'a#b']], [['*']], [['']]])('grants no scopes such as %j', (scopes) => {
    const table = new IdempotencyTable(stack, 'Table');
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    expect(() => table.grantIdempotency(role, { scopes })).toThrow(/`scopes` is .*; expected/);
  });

  it('is encrypted with a key of your own on request, which the grant covers', () => {
    const encryptionKey = new kms.Key(stack, 'Key');
    const table = new IdempotencyTable(stack, 'Table', { encryptionKey });
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    table.grantIdempotency(role);
    template().hasResourceProperties('AWS::DynamoDB::Table', {
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    });
    template().hasResourceProperties('AWS::IAM::Policy', grantOf(Match.arrayWith(['kms:Decrypt', 'kms:Encrypt'])));
  });
});

describe('IdempotentFunction', () => {
  const build = (props: Partial<IdempotentFunctionProps> = {}) => {
    const table = new IdempotencyTable(stack, 'Table');
    return new IdempotentFunction(stack, 'Function', { entry, table, scope: 'charge', ...props });
  };
  const functionHas = (properties: object) => template().hasResourceProperties('AWS::Lambda::Function', properties);

  it('is told all that the environment contract names', () => {
    build({ timeout: Duration.seconds(20), retention: Duration.days(2), environment: { MINE: 'too' } });
    functionHas({
      Timeout: 20,
      Environment: {
        Variables: {
          [ENVIRONMENT.table]: { Ref: Match.stringLikeRegexp('^Table') },
          [ENVIRONMENT.scope]: 'charge',
          [ENVIRONMENT.retention]: '172800s',
          [ENVIRONMENT.functionTimeout]: '20s',
          MINE: 'too',
        },
      },
    });
  });

  it('runs on Node 24 and arm64, with a timeout that a payment fits into', () => {
    build();
    functionHas({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Timeout: 30 });
  });

  it('may do to the table what the runtime does', () => {
    build();
    template().hasResourceProperties('AWS::IAM::Policy', grantOf([...ACTIONS]));
  });

  it('may do so to the records of its scopes alone', () => {
    build({ scopes: ['refund'] });
    const bound = Match.objectLike({ Action: [...ACTIONS], Condition: boundTo('charge', 'refund') });
    template().hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: Match.arrayWith([bound]) } });
  });

  it('without a scope may do so to all, as the name of a function is not known at synthesis', () => {
    const table = new IdempotencyTable(stack, 'Table');
    new IdempotentFunction(stack, 'Function', { entry, table });
    const unbound = Match.objectLike({ Action: [...ACTIONS], Condition: Match.absent() });
    template().hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: Match.arrayWith([unbound]) } });
  });

  it('takes a scope that is not known at synthesis', () => {
    build({ scope: new CfnParameter(stack, 'Scope').valueAsString });
    const join = { 'Fn::Join': ['', [{ Ref: 'Scope' }, '#*']] };
    const Condition = Match.objectLike({ 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [join] } });
    template().hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Condition })]) },
    });
  });

  it('takes a table of another stack', () => {
    build({ table: dynamodb.Table.fromTableName(stack, 'Imported', 'theirs') });
    functionHas({ Environment: { Variables: Match.objectLike({ [ENVIRONMENT.table]: 'theirs' }) } });
  });

  it('warns where a rename would forget what was done', () => {
    const table = new IdempotencyTable(stack, 'Table');
    new IdempotentFunction(stack, 'Function', { entry, table });
    Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('Set `scope`'));
  });

  it.each<[Partial<IdempotentFunctionProps>, RegExp]>([
    [{ scope: '' }, /`scope` is ""/],
    [{ scope: 'x'.repeat(256) }, /`scope` is "x+"; expected/],
    [{ scope: 'a*' }, /`scope` is "a\*"; expected a text of 1 to 255 printable characters, without # \* \? \$/],
    [{ scope: 'заказ' }, /of Latin-1/],
    [{ scope: `${Aws.STACK_NAME}#` }, /expected/],
    [{ scopes: ['a$'] }, /`scopes` is "a\$"; expected/],
    [{ scope: undefined, scopes: ['a'] }, /`scopes` is set without `scope`/],
    [{ retention: Duration.seconds(0) }, /`retention` is 0/],
  ])('fails on %o', (props, message) => {
    expect(() => build(props)).toThrow(message);
  });

  it('has defaults also for what is passed as undefined', () => {
    build({ runtime: undefined, architecture: undefined, timeout: undefined } as any);
    functionHas({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Timeout: 30 });
  });

  it('does not warn where the scope is set', () => {
    build();
    Annotations.fromStack(stack).hasNoWarning('*', Match.stringLikeRegexp('scope'));
  });
});

describe('IdempotentQueueConsumer', () => {
  const build = (props: Partial<IdempotentQueueConsumerProps> = {}) => {
    const table = new IdempotencyTable(stack, 'Table');
    return new IdempotentQueueConsumer(stack, 'Consumer', { entry, table, scope: 'charge', ...props });
  };
  const queueHas = (properties: object) => template().hasResourceProperties('AWS::SQS::Queue', properties);

  it('hides a message for 6 function timeouts and the batching window', () => {
    build({ timeout: Duration.minutes(2), maxBatchingWindow: Duration.seconds(5) });
    queueHas({ VisibilityTimeout: 725 });
  });

  it('receives a message 5 times before its dead-letter queue, which keeps it for 14 days', () => {
    build();
    queueHas({ RedrivePolicy: { maxReceiveCount: 5 }, MessageRetentionPeriod: 345_600 });
    queueHas({ RedrivePolicy: Match.absent(), MessageRetentionPeriod: 1_209_600 });
  });

  it('has failed records alone come back', () => {
    build({ batchSize: 7, maxConcurrency: 3 });
    template().hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BatchSize: 7,
      ScalingConfig: { MaximumConcurrency: 3 },
    });
  });

  it('keeps outcomes as long as a message may lie in both queues', () => {
    build({ queueRetention: Duration.days(1), deadLetterRetention: Duration.days(3) });
    template().hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ [ENVIRONMENT.retention]: '345600s' }) },
    });
  });

  it('has queues that are encrypted and refuse plain HTTP', () => {
    build();
    template().allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    template().resourceCountIs('AWS::SQS::QueuePolicy', 2);
  });

  it('keeps order on request, in both queues', () => {
    build({ fifo: true });
    template().allResourcesProperties('AWS::SQS::Queue', { FifoQueue: true });
  });

  it('exposes what it made', () => {
    const { queue, deadLetterQueue, function: consumer } = build();
    expect([queue, deadLetterQueue, consumer].map(({ node }) => node.id)).toEqual([
      'Queue',
      'DeadLetterQueue',
      'Function',
    ]);
  });

  it.each<[string, Partial<IdempotentQueueConsumerProps>, RegExp]>([
    [
      'a visibility timeout below 6 function timeouts',
      { visibilityTimeout: Duration.seconds(179) },
      /`visibilityTimeout` is 179.* 180/,
    ],
    [
      'a visibility timeout that forgets the batching window',
      { visibilityTimeout: Duration.seconds(180), maxBatchingWindow: Duration.seconds(1) },
      /`visibilityTimeout` is 180.* 181/,
    ],
    ['fewer than 5 receives', { maxReceiveCount: 4 }, /`maxReceiveCount` is 4.* 5/],
    ['outcomes forgotten before messages', { retention: Duration.days(17) }, /`retention` is 1468800.* 1555200/],
    [
      'a dead-letter queue that forgets before its queue',
      { queueRetention: Duration.days(5), deadLetterRetention: Duration.days(4) },
      /`deadLetterRetention` is 345600.* 432000/,
    ],
    ['a FIFO batch above 10', { fifo: true, batchSize: 11 }, /`batchSize` is 11.* 10$/],
    [
      'a batch above 10,000',
      { batchSize: 10_001, maxBatchingWindow: Duration.seconds(1) },
      /`batchSize` is 10001.* 10000$/,
    ],
    ['a FIFO batching window', { fifo: true, maxBatchingWindow: Duration.seconds(1) }, /`maxBatchingWindow`/],
    ['a batch above 10 without a window', { batchSize: 11 }, /`maxBatchingWindow` is 0.* 1/],
  ])('fails on %s', (_, props, message) => {
    expect(() => build(props)).toThrow(message);
  });

  it('takes what is just enough', () => {
    build({
      visibilityTimeout: Duration.seconds(180),
      maxReceiveCount: 5,
      retention: Duration.days(18),
      batchSize: 10,
    });
    template().resourceCountIs('AWS::SQS::Queue', 2);
  });
});
